// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/json_items.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"

namespace patchlab {
namespace {

// A file, character by character. Ends early, with a reason, where the parser would have to keep too much.
class CharacterSource {
 public:
  CharacterSource(InputFile input, const JsonItemLimits& limits) : input_(std::move(input)), limits_(limits) {}

  [[nodiscard]] bool at_end() {
    if (!trouble_.empty() || errno_ != 0) return true;
    if (next_ < filled_) return false;
    fill();
    return next_ >= filled_;
  }
  [[nodiscard]] char current() const { return block_[next_]; }
  void advance() {
    const char c = block_[next_++];
    ++position_;
    ++column_;
    if (c == '\n') {
      ++line_;
      column_ = 0;
    }
    measure(c);
    // For the parser it would be the end, and nobody would see what stands behind it.
    if (c == '\0') trouble_ = "is not valid JSON: a NUL byte";
  }

  [[nodiscard]] std::uintmax_t position() const { return position_; }
  [[nodiscard]] std::string place() const { return fmt::format("{}:{}", line_, std::max<std::uintmax_t>(column_, 1)); }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] int read_errno() const { return errno_; }
  [[nodiscard]] std::string digest() { return digest_.finish(); }

 private:
  void fill() {
    next_ = filled_ = 0;
    for (;;) {
      const auto count = ::read(input_.file.get(), block_.data(), block_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) errno_ = errno;
      if (count > 0) filled_ = static_cast<std::size_t>(count);
      break;
    }
    digest_.add({block_.data(), filled_});
    if (position_ + filled_ > limits_.file_bytes) {
      trouble_ = fmt::format("is larger than {} bytes", limits_.file_bytes);
      filled_ = 0;
    }
  }
  // The parser keeps one text or number at a time.
  void measure(char c) {
    ++token_;
    if (in_text_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_text_ = false;
        token_ = 0;
      }
    } else if (c == '"') {
      in_text_ = true;
      token_ = 0;
    } else if (c <= ' ' || c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']') {
      token_ = 0;
    }
    if (token_ > limits_.token_bytes)
      trouble_ = fmt::format("holds one text or number of more than {} bytes", limits_.token_bytes);
  }

  InputFile input_;
  const JsonItemLimits& limits_;
  std::array<char, 65536> block_{};
  std::size_t next_ = 0, filled_ = 0;
  std::uintmax_t position_ = 0, line_ = 1, column_ = 0, token_ = 0;
  bool in_text_ = false, escaped_ = false;
  int errno_ = 0;
  std::string trouble_;
  Sha256 digest_;
};

// What the parser takes: of the end it is only asked whether it is reached.
class CharacterIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit CharacterIterator(CharacterSource* source) : source_(source) {}
  reference operator*() const { return source_->current(); }
  CharacterIterator& operator++() {
    source_->advance();
    return *this;
  }
  CharacterIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CharacterIterator& other) const {
    const auto* one = source_ != nullptr ? this : &other;
    return one->source_ == nullptr || one->source_->at_end();
  }
  bool operator!=(const CharacterIterator& other) const { return !(*this == other); }

 private:
  CharacterSource* source_;
};

std::string pointer_of(const std::vector<std::string>& path) {
  std::string pointer;
  for (const auto& token : path) {
    pointer += '/';
    for (const char c : token) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return printable(pointer);
}

// Keeps the way to where the parser is, and the one item that it is in.
class ItemBuilder final : public nlohmann::json_sax<Json> {
 public:
  ItemBuilder(CharacterSource& source, const JsonItemLimits& limits, const std::function<std::string(JsonItem)>& take)
      : source_(source), limits_(limits), take_(take) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*as_written*/) override { return add(value); }
  bool binary(binary_t& /*value*/) override { return false; }  // no JSON text has one
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) return says("the text has a NUL character (\\u0000) in it");
    return add(std::move(value));
  }
  bool start_object(std::size_t /*size*/) override { return open(Json::object(), false); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array(), true); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (value.find('\0') != std::string::npos) return says("a key has a NUL character (\\u0000) in it");
    if (!nodes_.empty()) {
      auto& node = nodes_.back();
      const bool twice = node.value->contains(value);
      node.key = std::move(value);
      return twice ? says("key '" + node.key + "' is given twice") : true;
    }
    auto& level = levels_.back();
    level.key = std::move(value);
    if (!level.keys.insert(level.key).second) return says("key '" + level.key + "' is given twice");
    if (level.keys.size() > limits_.keys) return says(fmt::format("has more than {} keys", limits_.keys));
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Json::exception& trouble) override {
    if (!source_.trouble().empty()) return says(source_.trouble());
    std::string what = trouble.what();
    if (what.starts_with('[')) what.erase(0, std::min(what.find("] ") + 2, what.size()));
    if (what.starts_with("parse error at ")) what.erase(0, std::min(what.find(": ") + 2, what.size()));
    return says("not valid JSON: " + what);
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Level {  // above the items
    bool is_list;
    std::size_t place = 0;
    std::string key;
    std::set<std::string> keys;
  };
  struct Node {  // of the item
    Json* value;
    std::string key;
  };

  [[nodiscard]] std::vector<std::string> path() const {
    std::vector<std::string> path;
    for (const auto& level : levels_) path.push_back(level.is_list ? std::to_string(level.place) : level.key);
    return path;
  }
  bool says(const std::string& what) {
    if (!trouble_.empty()) return false;
    auto at = pointer_of(path());
    for (const auto& node : nodes_) {
      at += "/";
      at += node.value->is_array() ? std::to_string(node.value->size()) : printable(node.key);
    }
    trouble_ = fmt::format("{}: {}{}", source_.place(), at.empty() ? "" : at + ": ", printable(what));
    return false;
  }
  bool is_small_enough() {
    if (source_.position() - item_begin_ <= limits_.item_bytes) return true;
    return says(fmt::format("is larger than {} bytes", limits_.item_bytes));
  }
  bool hand_over(Json value) {
    if (const auto what = take_({path(), !levels_.empty() && levels_.back().is_list, std::move(value)}); !what.empty())
      return says(what);
    if (!levels_.empty()) ++levels_.back().place;
    return true;
  }
  Json* place(Json value) {
    auto& node = nodes_.back();
    if (node.value->is_array()) {
      node.value->push_back(std::move(value));
      return &node.value->back();
    }
    auto& member = (*node.value)[node.key];
    member = std::move(value);
    return &member;
  }
  bool add(Json value) {
    if (nodes_.empty()) return hand_over(std::move(value));
    place(std::move(value));
    return is_small_enough();
  }
  bool open(Json container, bool is_list) {
    if (nodes_.empty() && levels_.size() < limits_.depth) {
      levels_.push_back({is_list, 0, {}, {}});
      return true;
    }
    if (nodes_.size() >= deepest_json) return says(fmt::format("is nested more than {} deep", deepest_json));
    if (nodes_.empty()) {
      item_ = std::move(container);
      item_begin_ = source_.position();
      nodes_.push_back({&item_, {}});
      return true;
    }
    nodes_.push_back({place(std::move(container)), {}});
    return is_small_enough();
  }
  bool close() {
    if (nodes_.empty()) {
      levels_.pop_back();
      if (!levels_.empty()) ++levels_.back().place;
      return true;
    }
    nodes_.pop_back();
    return nodes_.empty() ? hand_over(std::move(item_)) : true;
  }

  CharacterSource& source_;
  const JsonItemLimits& limits_;
  const std::function<std::string(JsonItem)>& take_;
  std::vector<Level> levels_;
  std::vector<Node> nodes_;
  Json item_;
  std::uintmax_t item_begin_ = 0;
  std::string trouble_;
};

// Notes keys and nothing else, until the text ends.
class KeyNoter final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*as_written*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return false; }
  bool string(string_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override { return go_in(true); }
  bool end_object() override { return go_out(); }
  bool start_array(std::size_t /*size*/) override { return go_in(false); }
  bool end_array() override { return go_out(); }
  bool key(string_t& value) override {
    // Inside a list nothing is a key of the document.
    if (depth_ > 2 || lists_ > 0) return true;
    if (depth_ == 1) first_ = value;
    found_.push_back(depth_ == 1 ? std::vector<std::string>{value} : std::vector<std::string>{first_, value});
    return found_.size() < 100;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Json::exception& /*why*/) override {
    return false;
  }
  [[nodiscard]] std::vector<std::vector<std::string>> found() && { return std::move(found_); }

 private:
  bool go_in(bool is_object) {
    ++depth_;
    if (!is_object || lists_ > 0) ++lists_;
    return true;
  }
  bool go_out() {
    --depth_;
    if (lists_ > 0) --lists_;
    return true;
  }
  std::size_t depth_ = 0, lists_ = 0;
  std::string first_;
  std::vector<std::vector<std::string>> found_;
};

}  // namespace

Result<JsonItemsRead> read_json_items(const std::filesystem::path& path, const JsonItemLimits& limits,
                                      const std::function<std::string(JsonItem)>& take) {
  PATCHLAB_ASSIGN(auto input, open_input(path));
  const auto source = std::make_unique<CharacterSource>(std::move(input), limits);
  if (source->at_end() && source->trouble().empty() && source->read_errno() == 0)
    return configuration_error(printable(path.string()) + ": is empty, and no JSON");
  ItemBuilder builder(*source, limits, take);
  const bool whole = Json::sax_parse(CharacterIterator(source.get()), CharacterIterator(nullptr), &builder);
  if (source->read_errno() != 0) return errno_error("reading '" + path.string() + "'", source->read_errno());
  if (!whole || !builder.trouble().empty())
    return configuration_error(fmt::format("{}:{}", printable(path.string()), builder.trouble()));
  if (!source->trouble().empty())
    return configuration_error(fmt::format("{}:{}: {}", printable(path.string()), source->place(), source->trouble()));
  return JsonItemsRead{source->position(), source->digest()};
}

std::vector<std::vector<std::string>> first_json_keys(std::string_view beginning) {
  KeyNoter noter;
  [[maybe_unused]] const bool whole = Json::sax_parse(beginning.begin(), beginning.end(), &noter);
  return std::move(noter).found();
}

}  // namespace patchlab
