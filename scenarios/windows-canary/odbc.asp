<%@ Language="VBScript" %><% Option Explicit
' SQL Server by the old ODBC driver, sqlsrv32.dll, as the account of the application pool.
Dim connection, rows
Set connection = Server.CreateObject("ADODB.Connection")
connection.Open "Driver={SQL Server};Server=db1;Database=canary;Trusted_Connection=Yes"
Set rows = connection.Execute("SELECT 6 * 7")
If rows(0) = 42 Then Response.Write "canary: good" Else Response.Write "canary: another answer"
%>
