// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/delivery_status.hpp"

#include <string_view>
#include <vector>

#include "checks/mail/message.hpp"
#include "checks/mail/mime.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t most_recipients = 50;
constexpr std::size_t longest_value = 1000;

using Fields = std::map<std::string, std::string>;

std::string field(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string()
                               : to_valid_utf8(std::string_view(found->second).substr(0, longest_value));
}

std::string word_of(const Fields& fields, const std::string& name) {
  const auto value = field(fields, name);
  return lower_case(trimmed(std::string_view(value).substr(0, value.find_first_of(" \t(;")), " \t"));
}

// "rfc822; bob@corp.example"
std::string address_in(const std::string& value) {
  const auto semicolon = value.find(';');
  return std::string(trimmed(semicolon == std::string::npos ? value : value.substr(semicolon + 1), " \t"));
}

// RFC 3464 section 2.1: fields of the message, and behind each empty line those of a recipient.
Json recipients_in(const std::string& status) {
  auto recipients = Json::array();
  auto rest = split_message(status).body;
  for (std::size_t groups = 0; !rest.empty() && groups < most_recipients; ++groups) {
    auto group = split_message(rest);
    const auto fields = header_fields(group.header);
    rest = std::move(group.body);
    const auto final = field(fields, "final-recipient");
    if (final.empty()) continue;
    Json recipient{{"recipient", address_in(final)}};
    if (const auto original = field(fields, "original-recipient"); !original.empty())
      recipient["original"] = address_in(original);
    for (const char* name : {"action", "status"}) {
      if (const auto word = word_of(fields, name); !word.empty()) recipient[name] = word;
    }
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

}  // namespace

Json describe_report(const std::string& text) {
  const auto message = split_message(text);
  const auto fields = header_fields(message.header);
  auto report = Json::object();
  if (const auto type = word_of(fields, "content-type"); !type.empty()) report["type"] = type;
  if (const auto path = field(fields, "return-path"); !path.empty()) report["return_path"] = path;
  const auto content_type = field(fields, "content-type");
  if (const auto kind = lower_case(mime_parameter(content_type, "report-type")); !kind.empty())
    report["report_type"] = kind;
  report["parts"] = Json::array();
  for (const auto& part : mime_parts(message.body, mime_parameter(content_type, "boundary"))) {
    const auto [header, body] = split_message(part);
    const auto part_fields = header_fields(header);
    const auto type = word_of(part_fields, "content-type");
    report["parts"].push_back(type);
    if (type == "message/delivery-status" || type == "message/global-delivery-status") {
      report["recipients"] = recipients_in(body);
    } else if (type == "text/rfc822-headers" || type == "message/rfc822" || type == "message/global" ||
               type == "message/global-headers") {
      const auto id = field(header_fields(split_message(body).header), "message-id");
      if (!id.empty()) report["returned_id"] = id;
    }
  }
  return report;
}

}  // namespace patchlab::checks::mail
