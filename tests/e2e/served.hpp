// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>

#include "lab/core/json.hpp"
#include "lab/process/child.hpp"

namespace patchlab::e2e {

struct Reply {
  unsigned status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  [[nodiscard]] std::string code() const {
    const auto json = Json::parse(body, nullptr, false);
    return json.is_object() ? json.value("code", "") : body.substr(0, body.find(':'));
  }
};

// The program, as long as it lives: a command of it that serves pages, and says where. With --origin it says how others
// call it: its port is then for who named it to know.
class Served {
 public:
  Served(const std::filesystem::path& folder, const std::vector<std::string>& words) {
    ProcessSpec spec;
    spec.program = PATCHLAB_PROGRAM;
    spec.arguments = words;
    spec.working_folder = folder;
    auto started = ChildProcess::start(spec, folder / "served.log");
    if (!started) throw std::runtime_error(started.error().message);
    child_.emplace(std::move(*started));
    const auto line = child_->read_line(std::chrono::seconds(60));
    const std::string said = line && *line ? **line : std::string();
    const auto at = said.find("http");
    if (at == std::string::npos) throw std::runtime_error("it says: " + said + child_->wait(Milliseconds(0)).errors);
    url_ = said.substr(at, said.rfind('/') - at);
    port_ = url_.substr(url_.rfind(':') + 1);
  }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& port() const { return port_; }
  [[nodiscard]] ChildProcess& child() { return *child_; }

  [[nodiscard]] boost::asio::ip::tcp::socket connect() {
    boost::asio::ip::tcp::socket socket(context_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoi(port_))});
    return socket;
  }
  Reply send(boost::beast::http::request<boost::beast::http::string_body> request) {
    auto socket = connect();
    request.prepare_payload();
    boost::beast::error_code ignored;  // the answer may come before all is sent
    boost::beast::http::write(socket, request, ignored);
    boost::beast::flat_buffer buffer;
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    boost::beast::http::read(socket, buffer, parser, ignored);
    Reply reply{parser.get().result_int(), {}, parser.get().body()};
    for (const auto& field : parser.get()) reply.headers[std::string(field.name_string())] = std::string(field.value());
    return reply;
  }
  Reply get(const std::string& target, const std::string& host = {}) {
    boost::beast::http::request<boost::beast::http::string_body> request{boost::beast::http::verb::get, target, 11};
    request.set(boost::beast::http::field::host, host.empty() ? "localhost:" + port_ : host);
    return send(request);
  }
  Reply post(const std::string& target, const std::string& body, const std::string& origin = "ours") {
    boost::beast::http::request<boost::beast::http::string_body> request{boost::beast::http::verb::post, target, 11};
    request.set(boost::beast::http::field::host, "localhost:" + port_);
    request.set(boost::beast::http::field::content_type, "application/json");
    if (!origin.empty()) request.set(boost::beast::http::field::origin, origin == "ours" ? url_ : origin);
    request.body() = body;
    return send(request);
  }

 private:
  std::optional<ChildProcess> child_;
  std::string url_;
  std::string port_;
  boost::asio::io_context context_;
};

}  // namespace patchlab::e2e
