// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/key_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/evidence/witness.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

constexpr std::uintmax_t largest_note = 4096;

struct Arguments {
  fs::path from;
  fs::path state;
  fs::path key;
};

Result<std::optional<HeadNote>> last_of(const fs::path& state) {
  if (!is_there(state)) return std::optional<HeadNote>();
  PATCHLAB_ASSIGN(const auto text, read_file(state, largest_note));
  PATCHLAB_ASSIGN(auto note, parse_head(text, state.string()));
  return std::optional(std::move(note));
}

// What was noted stays until the next one is there whole; the signature of one that a crash left is made anew.
Result<HeadNote> note(const Arguments& arguments) {
  PATCHLAB_ASSIGN(const auto last, last_of(arguments.state).while_doing("--state"));
  PATCHLAB_ASSIGN(const auto key, signing_key(arguments.key).while_doing("--key"));
  PATCHLAB_ASSIGN(auto head, witness(arguments.from, last, system_clock_source().wall()));
  const auto text = head_text(head);
  PATCHLAB_ASSIGN(const auto signature, make_signature(host_processes(), key.file, witness_namespace, text));
  PATCHLAB_TRY(write_file_atomically(arguments.state, text));
  PATCHLAB_TRY(write_file_atomically(arguments.state.string() + ".sig", signature));
  say("{} lines, {}{}\n", head.head.size, head.head.hash,
      last ? fmt::format(", continues line {}", last->head.size) : std::string(", the first that was noted"));
  return head;
}

}  // namespace

void add_witness(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* witnessing =
      app.add_subcommand("witness", "note the head of a ledger on another machine, if it continues the last one");
  witnessing->add_option("from", arguments->from, "stage, copy of its .ledger, or ledger.jsonl")->required();
  witnessing->add_option("--state", arguments->state, "file with the head that was noted last; .sig beside it")
      ->required();
  witnessing
      ->add_option("--key", arguments->key,
                   "key of the witness, for patchlab.witness.v1: the .pub file, or the private one")
      ->required();
  witnessing->callback([arguments, &chosen] {
    chosen = [arguments] {
      const auto noted = note(*arguments);
      return noted ? ExitCode::ok : report_input(noted.error(), ExitCode::bad_data);
    };
  });
}

}  // namespace patchlab::cli
