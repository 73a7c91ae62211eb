// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

constexpr std::uintmax_t largest_text = std::uintmax_t{1} << 30U;
constexpr std::size_t longest_line = 4096;
constexpr std::size_t most_lines = 5'000'000;

std::optional<double> share_in(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= 1)) return std::nullopt;
  return value;
}

// Eight bytes instead of a text each: a file has some 300 000.
std::uint64_t number_of(const std::string& cve) {
  std::uint64_t year = 0, number = 0;
  std::from_chars(cve.data() + 4, cve.data() + 8, year);
  std::from_chars(cve.data() + 9, cve.data() + cve.size(), number);
  return year * 10'000'000'000U + number;
}

// Line by line; `take` says what is wrong.
class Lines {
 public:
  Lines(Epss& epss, const std::function<bool(const std::string&)>& wanted) : epss_(epss), wanted_(wanted) {}

  std::string take(std::string_view line) {
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number_ == 1) return take_model(line);
    if (number_ == 2) return line == "cve,epss,percentile" ? "" : "must be 'cve,epss,percentile'";
    if (number_ > most_lines) return fmt::format("more than {} lines", most_lines);
    const auto cells = split(line, ',');
    const std::string cve(cells[0]);
    if (cells.size() != 3 || !is_cve(cve)) return "must be a CVE number and two numbers, with commas between them";
    const auto probability = share_in(cells[1]);
    const auto percentile = share_in(cells[2]);
    if (!probability || !percentile) return fmt::format("the two numbers of {} must be from 0 to 1", cve);
    seen_.push_back(number_of(cve));
    if (wanted_(cve)) epss_.scores[cve] = {*probability, *percentile};
    return {};
  }
  // After the last one.
  std::string finish() {
    if (number_ < 3) return "there is no score in it";
    std::ranges::sort(seen_);
    const auto twice = std::ranges::adjacent_find(seen_);
    if (twice != seen_.end())
      return fmt::format("CVE-{}-{:04} is there twice", *twice / 10'000'000'000U, *twice % 10'000'000'000U);
    epss_.file.entries = seen_.size();
    return {};
  }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string take_model(std::string_view line) {
    constexpr std::string_view key = ",score_date:";
    const auto at = line.find(key);
    if (!line.starts_with("#model_version:") || at == std::string_view::npos)
      return "must be '#model_version:...,score_date:...'";
    epss_.file.date = day_in(line.substr(at + key.size()));
    return epss_.file.date ? "" : "its score_date is no date";
  }

  Epss& epss_;
  const std::function<bool(const std::string&)>& wanted_;
  std::vector<std::uint64_t> seen_;
  std::size_t number_ = 0;
};

// Pieces of a gzip file come in, lines go out. zlib compares length and CRC at the end.
class Unpacker {
 public:
  explicit Unpacker(Lines& lines) : lines_(lines) { is_ready_ = ::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Unpacker() { ::inflateEnd(&stream_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  std::string take(std::string_view packed) {
    if (!is_ready_) return "zlib has no memory";
    if (ended_ && !packed.empty()) return "bytes stand behind the end of the compressed text";
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    while (stream_.avail_in > 0 || stream_.avail_out == 0) {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      const auto code = ::inflate(&stream_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return fmt::format("cannot be unpacked: {}", stream_.msg != nullptr ? stream_.msg : "it is damaged");
      if (auto what = lines_in({out_.data(), out_.size() - stream_.avail_out}); !what.empty()) return what;
      if (code == Z_STREAM_END) {
        ended_ = true;
        return stream_.avail_in > 0 ? "bytes stand behind the end of the compressed text" : "";
      }
      if (code == Z_BUF_ERROR) break;
    }
    return {};
  }
  std::string finish() {
    if (!ended_) return "ends in the middle: it is not whole";
    if (!rest_.empty()) return "its last line does not end: it is not whole";
    return lines_.finish();
  }

 private:
  std::string lines_in(std::string_view text) {
    unpacked_ += text.size();
    if (unpacked_ > largest_text) return fmt::format("unpacks to more than {} bytes", largest_text);
    for (;;) {
      const auto end = text.find('\n');
      if (end == std::string_view::npos) break;
      rest_ += text.substr(0, end);
      text.remove_prefix(end + 1);
      auto what = lines_.take(rest_);
      rest_.clear();
      if (!what.empty()) return what;
    }
    rest_ += text;
    return rest_.size() > longest_line ? fmt::format("a line of more than {} characters", longest_line) : "";
  }

  Lines& lines_;
  z_stream stream_{};
  bool is_ready_ = false, ended_ = false;
  std::array<char, 65536> out_{};
  std::string rest_;
  std::uintmax_t unpacked_ = 0;
};

// epss_scores-2026-11-27.csv.gz
std::optional<Day> day_of_name(const std::string& name) {
  constexpr std::string_view begin = "epss_scores-";
  return name.starts_with(begin) ? day_in(name.substr(begin.size(), 10)) : std::nullopt;
}

}  // namespace

Result<Epss> read_epss(const std::filesystem::path& path, const std::function<bool(const std::string& cve)>& wanted) {
  Epss epss;
  PATCHLAB_ASSIGN(const auto input, open_input(path));
  Lines lines(epss, wanted);
  const auto unpacker = std::make_unique<Unpacker>(lines);
  Sha256 digest;
  std::vector<char> block(65536);
  const auto wrong = [&](const std::string& what) {
    return configuration_error(fmt::format("{}: line {}: {}", printable(path.string()),
                                           std::max<std::size_t>(lines.number(), 1), printable(what)),
                               "fetch it again: it is not whole, or was changed");
  };
  for (;;) {
    const auto count = ::read(input.file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + path.string() + "'", errno);
    if (count == 0) break;
    const std::string_view piece(block.data(), static_cast<std::size_t>(count));
    epss.file.bytes += piece.size();
    digest.add(piece);
    if (const auto what = unpacker->take(piece); !what.empty()) return wrong(what);
  }
  if (const auto what = unpacker->finish(); !what.empty()) return wrong(what);
  const auto name = path.filename().string();
  if (const auto named = day_of_name(name); named && named != epss.file.date) {
    return configuration_error(fmt::format("{}: line 1: score_date is {}, and the file's name says {}",
                                           printable(path.string()), day_text(*epss.file.date), day_text(*named)),
                               "fetch it again, or give it the name that it had");
  }
  epss.file.kind = FeedKind::epss;
  epss.file.name = name;
  epss.file.sha256 = digest.finish();
  return epss;
}

}  // namespace patchlab::process
