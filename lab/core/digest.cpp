// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/digest.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/sha1.hpp"

namespace patchlab {
namespace {
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Context new_context(const EVP_MD* kind = EVP_sha256()) {
  Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), kind, nullptr);
  return context;
}

std::string finish_hex(EVP_MD_CTX* context) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context, bytes.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(std::size_t{size} * 2);
  for (unsigned int i = 0; i < size; ++i) {
    hex += digits[bytes[i] >> 4U];
    hex += digits[bytes[i] & 0xFU];
  }
  return hex;
}

Result<std::string> digest_of_file(const std::filesystem::path& path, const EVP_MD* kind) {
  PATCHLAB_ASSIGN(const auto input, open_input(path));
  auto context = new_context(kind);
  std::vector<char> block(1U << 20U);
  for (;;) {
    const auto count = ::read(input.file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + path.string() + "'", errno);
    if (count == 0) break;
    EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(count));
  }
  return finish_hex(context.get());
}
}  // namespace

std::string sha256(std::string_view bytes) {
  auto context = new_context();
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  return finish_hex(context.get());
}

Result<std::string> sha256_of_file(const std::filesystem::path& path) { return digest_of_file(path, EVP_sha256()); }
Result<std::string> sha1_of_file(const std::filesystem::path& path) { return digest_of_file(path, EVP_sha1()); }

Result<std::string> digest_of_file(const std::filesystem::path& path, DigestKind kind) {
  switch (kind) {
    case DigestKind::sha1: return digest_of_file(path, EVP_sha1());
    case DigestKind::sha256: return digest_of_file(path, EVP_sha256());
    case DigestKind::sha512: return digest_of_file(path, EVP_sha512());
  }
  return infrastructure_error("no such kind of digest");
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct Sha256::State {
  Context context = new_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
void Sha256::add(std::string_view bytes) { EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()); }
std::string Sha256::finish() { return finish_hex(state_->context.get()); }

struct DigestBuilder::State {
  Context context = new_context();
};

DigestBuilder::DigestBuilder() : state_(std::make_unique<State>()) {}
DigestBuilder::~DigestBuilder() = default;
DigestBuilder::DigestBuilder(DigestBuilder&&) noexcept = default;
DigestBuilder& DigestBuilder::operator=(DigestBuilder&&) noexcept = default;

DigestBuilder& DigestBuilder::add(std::string_view piece) {
  const auto length = std::to_string(piece.size()) + ":";
  EVP_DigestUpdate(state_->context.get(), length.data(), length.size());
  EVP_DigestUpdate(state_->context.get(), piece.data(), piece.size());
  return *this;
}

std::string DigestBuilder::finish() { return finish_hex(state_->context.get()); }

}  // namespace patchlab
