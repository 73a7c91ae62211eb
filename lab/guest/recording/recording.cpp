// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "lab/guest/recording/questions.hpp"
#include "lab/guest/windows/replies.hpp"

namespace patchlab::lab::guest::recording {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t longest_manifest = 4U << 20U;
constexpr std::uintmax_t longest_reply = 64U << 20U;
constexpr std::uintmax_t longest_of_all = 512U << 20U;
constexpr std::size_t most_replies = 2000;
constexpr const char* replies_folder = "replies";
constexpr const char* manifest_name = "manifest.json";

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 100 && id.front() != '-' &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

// The streams of a reply, by what their files end with.
struct Stream {
  const char* key;
  const char* ending;
};
constexpr Stream output_stream{"output", "out"};
constexpr Stream error_stream{"errors", "err"};
constexpr Stream file_stream{"file", "saved"};

std::string file_of(const std::string& id, const Stream& stream) {
  return fmt::format("{}/{}.{}", replies_folder, id, stream.ending);
}

Error no_recording(const fs::path& file, const std::string& what) {
  return configuration_error(fmt::format("'{}': {}", file.string(), what),
                             "copy the whole folder again from where it was recorded, as an archive, and compare");
}

class Writer {
 public:
  explicit Writer(fs::path folder) : folder_(std::move(folder)) {}

  Result<void> write(const Recording& recording) {
    if (is_there(folder_)) {
      PATCHLAB_ASSIGN(const auto entries, entries_of(folder_));
      if (!entries.empty())
        return configuration_error(fmt::format("'{}' is not empty", folder_.string()),
                                   "name a folder that is not there yet");
    }
    PATCHLAB_TRY(create_folders(folder_ / replies_folder));
    Json replies = Json::array();
    for (const auto& reply : recording.replies) {
      Json one{{"id", reply.id}, {"by", reply.by}, {"line", reply.line}};
      if (reply.trouble.empty()) {
        one["exit_code"] = reply.exit_code;
        one["took_ms"] = reply.took.count();
        PATCHLAB_TRY(add(one, reply.id, output_stream, reply.output));
        if (reply.by == "exec") PATCHLAB_TRY(add(one, reply.id, error_stream, reply.errors));
        if (reply.file) PATCHLAB_TRY(add(one, reply.id, file_stream, *reply.file));
      } else {
        one["trouble"] = reply.trouble;
      }
      replies.push_back(std::move(one));
    }
    Json scrubbed = Json::array();
    for (const auto& count : recording.scrubbed) {
      scrubbed.push_back(
          {{"rule", count.rule}, {"kind", count.kind}, {"names", count.names}, {"places", count.places}});
    }
    const auto& machine = recording.machine;
    const Json manifest{{"schema", manifest_schema},
                        {"program", recording.program},
                        {"recorded", recording.recorded},
                        {"machine",
                         {{"family", "windows"},
                          {"release", machine.release},
                          {"product", machine.product},
                          {"language", machine.language},
                          {"oem_code_page", machine.oem_code_page},
                          {"ansi_code_page", machine.ansi_code_page}}},
                        {"replies", std::move(replies)},
                        {"scrubbed", std::move(scrubbed)},
                        {"replaced_by", recording.replaced_by}};
    return write_file_atomically(folder_ / manifest_name, pretty(manifest));
  }

 private:
  Result<void> add(Json& reply, const std::string& id, const Stream& stream, const std::string& bytes) {
    const auto name = file_of(id, stream);
    PATCHLAB_TRY(write_file_atomically(folder_ / name, bytes));
    reply[stream.key] = {{"file", name}, {"bytes", bytes.size()}, {"sha256", sha256(bytes)}};
    return {};
  }

  fs::path folder_;
};

class FolderReading {
 public:
  explicit FolderReading(fs::path folder) : folder_(std::move(folder)) {}

  Result<Recording> read() {
    const auto file = folder_ / manifest_name;
    if (!is_folder(folder_))
      return configuration_error(fmt::format("'{}' is no folder", folder_.string()),
                                 "name the folder that 'patchlab guest record' wrote");
    if (!is_there(file))
      return configuration_error(fmt::format("'{}' is not there, so the folder is no whole recording", file.string()),
                                 "name the folder that 'patchlab guest record' wrote");
    const auto text = read_file(file, longest_manifest, Links::refuse);
    if (!text) return no_recording(file, text.error().message);
    PATCHLAB_ASSIGN(const auto json, parse_json(*text, file.string()));
    auto recording = manifest(json);
    if (!problems_.empty()) {
      auto error = problems_error(file.string(), problems_);
      error.hint = "it was changed after it was written, or is of another version of patchlab: record it anew";
      return error;
    }
    for (auto& [reply, parts] : parts_) {
      for (const auto& part : parts) {
        PATCHLAB_ASSIGN(auto bytes, content(part));
        if (part.stream == file_stream.key)
          recording.replies[reply].file = std::move(bytes);
        else
          (part.stream == output_stream.key ? recording.replies[reply].output : recording.replies[reply].errors) =
              std::move(bytes);
      }
    }
    PATCHLAB_TRY(nothing_else());
    return recording;
  }

 private:
  struct Part {
    std::string stream;
    std::string file;
    std::uintmax_t bytes = 0;
    std::string digest;
  };

  Recording manifest(const Json& json) {
    Recording recording;
    JsonReader reader(json, "", problems_);
    if (const auto schema = reader.text("schema"); problems_.empty() && schema != manifest_schema)
      reader.problem("schema", fmt::format("is '{}', and this patchlab reads '{}'", schema, manifest_schema));
    recording.program = reader.text("program");
    recording.recorded = reader.text("recorded");
    auto machine = reader.object("machine");
    if (machine.text("family") != "windows") machine.problem("family", "must be windows");
    recording.machine = {machine.text("release"), machine.text("product"), machine.text("language"),
                         machine.text("oem_code_page"), machine.text("ansi_code_page")};
    machine.finish();
    const auto& replies = reader.raw("replies");
    if (!replies.is_array() || replies.size() > most_replies) {
      reader.problem("replies", fmt::format("must be a list of {} at most", most_replies));
    } else {
      for (std::size_t i = 0; i < replies.size(); ++i)
        recording.replies.push_back(reply(replies[i], fmt::format("{}/{}", reader.at("replies"), i), i));
    }
    const auto& scrubbed = reader.raw("scrubbed");
    if (!scrubbed.is_array() || scrubbed.size() > most_replies) {
      reader.problem("scrubbed", "must be a list");
    } else {
      for (std::size_t i = 0; i < scrubbed.size(); ++i) {
        JsonReader one(scrubbed[i], fmt::format("{}/{}", reader.at("scrubbed"), i), problems_);
        recording.scrubbed.push_back({one.text("rule"), one.text("kind"),
                                      static_cast<std::size_t>(one.integer("names", 0, 1'000'000'000)),
                                      static_cast<std::size_t>(one.integer("places", 0, 1'000'000'000))});
        one.finish();
      }
    }
    for (const auto& made : reader.texts_or_empty("replaced_by")) recording.replaced_by.insert(made);
    reader.finish();
    return recording;
  }

  Reply reply(const Json& json, const std::string& pointer, std::size_t index) {
    Reply reply;
    JsonReader reader(json, pointer, problems_);
    reply.id = reader.text("id");
    if (!is_id(reply.id)) reader.problem("id", "must be lower-case letters, digits and '-'");
    if (!ids_.insert(reply.id).second) reader.problem("id", fmt::format("'{}' stands there twice", reply.id));
    reply.by = reader.text("by");
    if (reply.by != "agent" && reply.by != "exec" && reply.by != "job")
      reader.problem("by", "must be agent, exec or job");
    reply.line = reader.text("line");
    if (!lines_.emplace(reply.by, reply.line).second)
      reader.problem("line", fmt::format("'{}' stands there twice", reply.line));
    if (reader.has("trouble")) {
      reply.trouble = reader.text("trouble", not_empty("why there is no reply"));
    } else {
      reply.exit_code = static_cast<std::uint32_t>(reader.integer("exit_code", 0, 0xffffffffLL));
      reply.took = Milliseconds(reader.integer("took_ms", 0, 1'000'000'000));
      part(reader, reply.id, output_stream, index);
      if (reply.by == "exec") part(reader, reply.id, error_stream, index);
      if (reader.has(file_stream.key)) part(reader, reply.id, file_stream, index);
    }
    reader.finish();
    return reply;
  }

  void part(JsonReader& reader, const std::string& id, const Stream& stream, std::size_t index) {
    auto inner = reader.object(stream.key);
    Part part{stream.key, inner.text("file"),
              static_cast<std::uintmax_t>(inner.integer("bytes", 0, static_cast<std::int64_t>(longest_reply))),
              inner.text("sha256")};
    // Nothing is opened that is not called as it must be: no path of somebody else's choice.
    if (part.file != file_of(id, stream))
      inner.problem("file", fmt::format("must be '{}'", file_of(is_id(id) ? id : "ID", stream)));
    if (!is_sha256(part.digest)) inner.problem("sha256", "must be a SHA-256");
    inner.finish();
    all_ += part.bytes;
    if (all_ > longest_of_all) inner.problem("bytes", fmt::format("all together must be below {}", longest_of_all));
    parts_[index].push_back(std::move(part));
  }

  Result<std::string> content(const Part& part) {
    const auto file = folder_ / part.file;
    if (const auto status = status_of(folder_ / replies_folder); !fs::is_directory(status))
      return no_recording(folder_ / replies_folder, "must be a folder, and no link");
    auto bytes = read_file(file, longest_reply, Links::refuse);
    if (!bytes) return no_recording(file, bytes.error().message);
    if (bytes->size() != part.bytes)
      return no_recording(file, fmt::format("has {} bytes, and {} says {}", bytes->size(), manifest_name, part.bytes));
    if (sha256(*bytes) != part.digest)
      return no_recording(file, fmt::format("is not what {} says: its SHA-256 is another one", manifest_name));
    files_.insert(file.filename().string());
    return bytes;
  }

  // What no reply names would be given away without having been looked at.
  Result<void> nothing_else() {
    const auto only = [](const fs::path& folder, const std::set<std::string>& names, const char* by) -> Result<void> {
      PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
      for (const auto& entry : entries) {
        if (!names.contains(entry.filename().string()))
          return configuration_error(fmt::format("'{}' is named by no {}", entry.string(), by), "take it out of there");
      }
      return {};
    };
    PATCHLAB_TRY(only(folder_, {manifest_name, replies_folder}, "recording"));
    if (!is_there(folder_ / replies_folder) && files_.empty()) return {};
    return only(folder_ / replies_folder, files_, "reply");
  }

  fs::path folder_;
  std::vector<JsonProblem> problems_;
  std::set<std::string> ids_;
  std::set<std::pair<std::string, std::string>> lines_;
  std::map<std::size_t, std::vector<Part>> parts_;  // by reply
  std::uintmax_t all_ = 0;
  std::set<std::string> files_;
};

// The only value of a reply of reg, or nothing.
std::string only_value(const std::vector<Reply>& replies, const std::string& id, const std::string& value) {
  const auto reply = std::ranges::find(replies, id, &Reply::id);
  if (reply == replies.end() || !reply->trouble.empty() || reply->exit_code != 0) return {};
  const auto keys = windows::registry_keys(reply_text(reply->output, "850"));
  if (!keys || keys->size() != 1) return {};
  const auto found = keys->front().values.find(value);
  return found == keys->front().values.end() ? std::string{} : found->second;
}

}  // namespace

Result<void> write_recording(const std::filesystem::path& folder, const Recording& recording) {
  return Writer(folder).write(recording);
}

Result<Recording> read_recording(const std::filesystem::path& folder) { return FolderReading(folder).read(); }

RecordedMachine machine_told_by(const std::vector<Reply>& replies) {
  RecordedMachine machine;
  const auto system = std::ranges::find(replies, "os-info", &Reply::id);
  if (system != replies.end()) {
    const auto kernel = windows::proves_windows(json_in(system->output));
    if (kernel && !kernel->build.empty()) machine.release = kernel->version + "." + kernel->build;
  }
  const auto build = only_value(replies, "release-build", "CurrentBuildNumber");
  if (!build.empty()) {
    const auto major = windows::registry_number(only_value(replies, "release-major", "CurrentMajorVersionNumber"));
    const auto version = only_value(replies, "release-version", "CurrentVersion");
    machine.release = fmt::format("{}.{}", major ? fmt::format("{}.0", *major) : version, build);
  }
  if (const auto revision = windows::registry_number(only_value(replies, "release-revision", "UBR"));
      revision && !machine.release.empty())
    machine.release += fmt::format(".{}", *revision);
  machine.product = only_value(replies, "release-product", "ProductName");
  machine.language = only_value(replies, "language", "InstallLanguage");
  machine.oem_code_page = only_value(replies, "code-page-oem", "OEMCP");
  machine.ansi_code_page = only_value(replies, "code-page-ansi", "ACP");
  return machine;
}

void to_json(Json& json, const Reply& reply) {
  json = {{"id", reply.id},
          {"by", reply.by},
          {"line", reply.line},
          {"exit_code", reply.exit_code},
          {"took_ms", reply.took.count()},
          {"output", base64(reply.output)},
          {"errors", base64(reply.errors)},
          {"trouble", reply.trouble}};
  if (reply.file) json["file"] = base64(*reply.file);
}

Reply reply_from_json(const Json& json) {
  Reply reply;
  reply.id = json.at("id").get<std::string>();
  reply.by = json.at("by").get<std::string>();
  reply.line = json.at("line").get<std::string>();
  reply.exit_code = json.at("exit_code").get<std::uint32_t>();
  reply.took = Milliseconds(json.at("took_ms").get<Milliseconds::rep>());
  reply.output = from_base64(json.at("output").get<std::string>()).value_or("");
  reply.errors = from_base64(json.at("errors").get<std::string>()).value_or("");
  reply.trouble = json.at("trouble").get<std::string>();
  if (json.contains("file")) reply.file = from_base64(json["file"].get<std::string>()).value_or("");
  return reply;
}

}  // namespace patchlab::lab::guest::recording
