<%@ Language="VBScript" %><% Option Explicit
' A page of another server by TLS, as WSUS and Windows Update ask for theirs: by WinHTTP. Its certificate is not looked at.
Dim caller
Set caller = Server.CreateObject("WinHttp.WinHttpRequest.5.1")
caller.Option(4) = 13056
caller.SetTimeouts 5000, 5000, 5000, 5000
caller.Open "GET", Request.QueryString("to"), False
caller.Send
If caller.ResponseText = "heard" Then Response.Write "canary: good" Else Response.Write "canary: another answer"
%>
