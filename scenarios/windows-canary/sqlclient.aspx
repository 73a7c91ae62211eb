<%@ Page Language="C#" ContentType="text/plain" %><%@ Import Namespace="System.Data.SqlClient" %><%
// A connection to SQL Server by .NET, as the account of the application pool. Its name and database: web.config, "canary".
using (var connection = new SqlConnection(ConfigurationManager.ConnectionStrings["canary"].ConnectionString)) {
  connection.Open();
  using (var command = new SqlCommand("SELECT 6 * 7", connection))
    Response.Write(System.Convert.ToInt32(command.ExecuteScalar()) == 42 ? "canary: good" : "canary: another answer");
}
%>
