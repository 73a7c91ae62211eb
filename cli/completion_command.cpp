// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"

namespace patchlab::cli {

void add_completion(CLI::App& app, Chosen& chosen) {
  const auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand("completion", "print what a shell completes commands and options by");
  completion
      ->add_option(
          "shell", *shell,
          "bash, zsh or fish; for good: ~/.local/share/bash-completion/completions/patchlab, a file _patchlab in a "
          "folder of $fpath, or ~/.config/fish/completions/patchlab.fish")
      ->required();
  completion->callback([shell, &app, &chosen] {
    chosen = [shell, &app] {
      const auto tree = command_tree(app);
      if (*shell == "bash")
        write_out(bash_completion(tree));
      else if (*shell == "zsh")
        write_out(zsh_completion(tree));
      else if (*shell == "fish")
        write_out(fish_completion(tree));
      else
        return report(unknown_choice("shell", *shell, "is not known here", {"bash", "zsh", "fish"}), ExitCode::usage);
      return ExitCode::ok;
    };
  });
  app.add_subcommand("manual", "print the manual page, for man -l -")->callback([&app, &chosen] {
    chosen = [&app] {
      write_out(manual_page(command_tree(app), PATCHLAB_VERSION));
      return ExitCode::ok;
    };
  });
}

}  // namespace patchlab::cli
