<%@ Language="VBScript" %><% Option Explicit
' A table with a name of more than 32 characters in a Jet 97 database, canary97.mdb beside this file (32-bit application pool).
Dim connection, rows
Set connection = Server.CreateObject("ADODB.Connection")
connection.Open "Provider=Microsoft.Jet.OLEDB.4.0;Data Source=" & Server.MapPath("canary97.mdb")
Set rows = connection.Execute("SELECT answer FROM a_table_whose_name_has_more_than_32_characters")
If rows("answer") = 42 Then Response.Write "canary: good" Else Response.Write "canary: another answer"
%>
