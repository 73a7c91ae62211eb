<%@ Language="VBScript" %><% Option Explicit
' An object of COM, made by the account of the application pool.
Dim files
Set files = Server.CreateObject("Scripting.FileSystemObject")
If files.FileExists(Server.MapPath("com.asp")) Then Response.Write "canary: good" Else Response.Write "canary: another answer"
%>
