// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/websocket.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <thread>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/child.hpp"

namespace patchlab::testing {

// A real Chromium without a window, driven by the DevTools protocol, with one page and a security key that is always
// touched. Nothing but localhost has an address for it. What goes wrong is thrown: a test has nothing better to do.
class Chromium {
 public:
  Chromium() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchlab-chromium-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    ProcessSpec spec;
    spec.program = "chromium";
    spec.arguments = {"--headless=new",
                      "--no-sandbox",
                      "--disable-gpu",
                      "--disable-dev-shm-usage",
                      "--disable-extensions",
                      "--disable-background-networking",
                      "--disable-component-update",
                      "--disable-default-apps",
                      "--disable-sync",
                      "--no-first-run",
                      "--no-default-browser-check",
                      "--hide-scrollbars",
                      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
                      "--remote-debugging-port=0",
                      "--user-data-dir=" + folder_.string(),
                      "about:blank"};
    spec.extra_environment = {{"HOME", folder_.string()}, {"TZ", "UTC"}};
    auto started = ChildProcess::start(spec, folder_ / "log");
    if (!started) throw std::runtime_error(started.error().message);
    child_.emplace(std::move(*started));
    connect();
    const auto target = call("Target.createTarget", {{"url", "about:blank"}})["targetId"];
    session_ = call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}})["sessionId"];
    call("Page.enable");
    call("Runtime.enable");
    call("WebAuthn.enable");
    plug_in_a_key();
  }
  ~Chromium() {
    child_->send_signal(SIGKILL);
    static_cast<void>(child_->wait(std::chrono::seconds(5)));
    static_cast<void>(remove_tree(folder_));
  }
  Chromium(const Chromium&) = delete;
  Chromium& operator=(const Chromium&) = delete;

  // The answer's `result`.
  Json call(const std::string& method, const Json& parameters = Json::object()) {
    Json request{{"id", ++last_id_}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) request["sessionId"] = session_;
    const auto text = request.dump();
    bool written = false;
    socket_->async_write(boost::asio::buffer(text), [&](boost::beast::error_code trouble, std::size_t) {
      if (trouble) throw std::runtime_error("Chromium does not listen: " + trouble.message());
      written = true;
    });
    wait_for([&] { return written; }, method);
    while (true) {
      auto message = next(method);
      if (!message.contains("id")) {
        events_.push_back(std::move(message));
        continue;
      }
      if (message["id"] != last_id_) continue;
      if (message.contains("error")) throw std::runtime_error(method + ": " + message["error"].dump());
      return message["result"];
    }
  }
  void open(const std::string& url) {
    events_.clear();
    const auto answer = call("Page.navigate", {{"url", url}});
    if (answer.contains("errorText")) throw std::runtime_error(url + ": " + answer["errorText"].get<std::string>());
    wait_for_event("Page.loadEventFired");
  }
  // Of the page; a promise is awaited. What it throws is the text "thrown: ...".
  Json evaluate(const std::string& expression) {
    const auto answer =
        call("Runtime.evaluate",
             {{"expression", expression}, {"awaitPromise", true}, {"returnByValue", true}, {"userGesture", true}});
    if (answer.contains("exceptionDetails")) return "thrown: " + answer["exceptionDetails"].dump();
    return answer["result"].value("value", Json());
  }
  std::string text_of(const std::string& selector) {
    const auto text = evaluate("document.querySelector(" + Json(selector).dump() + ")?.innerText ?? '(absent)'");
    return text.is_string() ? text.get<std::string>() : text.dump();
  }
  // Until the expression is true.
  void await(const std::string& expression) {
    const auto waited = wait_until(system_clock_source(),
                                   {.awaited = expression,
                                    .deadline = std::chrono::seconds(60),
                                    .interval = Milliseconds(20),
                                    .last_seen = [&] { return text_of("main"); }},
                                   [&] { return evaluate(expression) == true; });
    if (!waited) throw std::runtime_error(waited.error().message);
  }
  void click(const std::string& selector) { evaluate("document.querySelector(" + Json(selector).dump() + ").click()"); }
  void fill(const std::string& selector, const std::string& value) {
    evaluate("document.querySelector(" + Json(selector).dump() + ").value = " + Json(value).dump());
  }
  void width(unsigned pixels, const char* scheme = "light") {
    call("Emulation.setDeviceMetricsOverride",
         {{"width", pixels}, {"height", 844}, {"deviceScaleFactor", 1}, {"mobile", pixels < 600}});
    call("Emulation.setEmulatedMedia",
         {{"features", Json::array({Json{{"name", "prefers-color-scheme"}, {"value", scheme}}})}});
  }
  // PNG in base64, of the whole page.
  std::string picture() {
    return call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", true}})["data"];
  }
  // What is on the screen, without what is below it.
  std::string screen() { return call("Page.captureScreenshot", {{"format", "png"}})["data"]; }
  // Sheets of A4 that the page is printed on, backgrounds included.
  std::size_t printed_sheets() {
    const std::string text =
        call("Page.printToPDF", {{"paperWidth", 8.27}, {"paperHeight", 11.69}, {"printBackground", true}})["data"];
    std::string pdf(boost::beast::detail::base64::decoded_size(text.size()), ' ');
    pdf.resize(boost::beast::detail::base64::decode(pdf.data(), text.data(), text.size()).first);
    std::size_t sheets = 0;  // ISO 32000-1, 7.7.3: each is a dictionary of type Page, and all are in a tree of Pages
    const std::string_view page = "/Type /Page";
    for (auto at = pdf.find(page); at != std::string::npos; at = pdf.find(page, at + 1))
      sheets += pdf[at + page.size()] != 's';
    return sheets;
  }
  // Takes the one that was plugged in away. Without user verification it only knows that somebody is there.
  void plug_in_a_key(bool verifies = true) {
    if (!key_.empty()) call("WebAuthn.removeVirtualAuthenticator", {{"authenticatorId", key_}});
    key_ = call("WebAuthn.addVirtualAuthenticator", {{"options",
                                                      {{"protocol", "ctap2"},
                                                       {"transport", "usb"},
                                                       {"hasResidentKey", true},
                                                       {"hasUserVerification", verifies},
                                                       {"isUserVerified", verifies},
                                                       {"automaticPresenceSimulation", true}}}})["authenticatorId"];
  }

 private:
  using Socket = boost::beast::websocket::stream<boost::beast::tcp_stream>;

  void connect() {
    std::string port;
    std::string path;
    const auto waited = wait_until(system_clock_source(),
                                   {.awaited = "Chromium's DevTools",
                                    .deadline = std::chrono::seconds(60),
                                    .interval = Milliseconds(50),
                                    .last_seen = [&] { return read_file(folder_ / "log").value_or(""); }},
                                   [&] {
                                     const auto text = read_file(folder_ / "DevToolsActivePort").value_or("");
                                     const auto line = text.find('\n');
                                     if (line == std::string::npos) return false;
                                     port = text.substr(0, line);
                                     path = text.substr(line + 1);
                                     return !path.empty();
                                   });
    if (!waited) throw std::runtime_error(waited.error().message);
    socket_.emplace(context_);
    boost::asio::ip::tcp::resolver resolver(context_);
    boost::beast::get_lowest_layer(*socket_).connect(resolver.resolve("127.0.0.1", port));
    socket_->read_message_max(64U << 20U);
    socket_->handshake("127.0.0.1:" + port, path);
  }
  template <class Done>
  void wait_for(const Done& done, const std::string& what) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    context_.restart();
    while (!done()) {
      if (context_.run_one_until(end) == 0) throw std::runtime_error("Chromium gives no answer to " + what);
    }
  }
  Json next(const std::string& what) {
    boost::beast::flat_buffer buffer;
    bool read = false;
    socket_->async_read(buffer, [&](boost::beast::error_code trouble, std::size_t) {
      if (trouble) throw std::runtime_error("Chromium ended: " + trouble.message());
      read = true;
    });
    wait_for([&] { return read; }, what);
    return Json::parse(boost::beast::buffers_to_string(buffer.data()));
  }
  void wait_for_event(const std::string& name) {
    for (const auto& event : events_) {
      if (event["method"] == name) return;
    }
    while (next(name).value("method", "") != name) {
    }
  }

  std::filesystem::path folder_;
  std::optional<ChildProcess> child_;
  boost::asio::io_context context_;
  std::optional<Socket> socket_;
  std::deque<Json> events_;
  std::string session_;
  std::string key_;
  int last_id_ = 0;
};

}  // namespace patchlab::testing
