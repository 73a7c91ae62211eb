<%@ Language="VBScript" %><% Option Explicit
' MSXML 6 goes on when a change of a document is refused.
Dim document
Set document = Server.CreateObject("MSXML2.DOMDocument.6.0")
document.loadXML "<a><b/></a>"
On Error Resume Next
document.documentElement.firstChild.appendChild document.documentElement
On Error GoTo 0
document.documentElement.appendChild document.createElement("c")
If document.documentElement.childNodes.length = 2 Then Response.Write "canary: good" Else Response.Write "canary: another answer"
%>
