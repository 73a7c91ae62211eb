// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/browser/pages.hpp"

#include <algorithm>
#include <array>

#include "lab/core/printable.hpp"
#include "lab/core/shell_words.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/failures.hpp"
#include "reports/html/page.hpp"
#include "reports/html/parts.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/severity.hpp"

namespace patchlab::promotion::browser {
namespace {

using reports::Page;
using reports::html::counted;
using reports::html::shortened;
using reports::html::time_text;

void write_page(Page& page, const std::string& title, bool with_script, const Page::Content& content) {
  page.trusted("<!DOCTYPE html>\n");
  page.element("html", {{"lang", "en"}}, [&] {
    page.element("head", {}, [&] {
      page.empty("meta", {{"charset", "utf-8"}});
      page.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
      page.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
      page.element("title", {}, title + " - patchlab desk");
      page.empty("link", {{"rel", "stylesheet"}, {"href", "/desk.css"}});
      if (with_script) page.element("script", {{"type", "module"}, {"src", "/sign.js"}}, "");
    });
    page.element("body", {}, [&] {
      page.element("a", {{"class", "skip"}, {"href", "#main"}}, "Skip to the content");
      page.element("header", {}, [&] {
        page.element("nav", {{"aria-label", "desk"}}, [&] {
          page.element("a", {{"class", "brand"}, {"href", "/"}}, "patchlab desk");
          page.element("a", {{"href", "/enrol"}}, "Enrol a security key");
        });
      });
      page.element("main", {{"id", "main"}, {"tabindex", "-1"}}, content);
      page.element("footer", {}, [&] {
        page.element("p", {},
                     "This desk decides nothing and remembers nobody: a decision counts by its signature alone, and "
                     "ssh-keygen proves it.");
      });
    });
  });
}

std::string escaped_word(std::string word) {
  for (auto& c : word) {
    if (!((c >= 'a' && c <= 'z') || c == '-')) c = '-';
  }
  return word;
}

void severity_badge(Page& page, const std::string& severity) {
  const auto css = "severity " + escaped_word(severity);
  page.element("span", {{"class", css}}, severity);
}

void bullets(Page& page, const std::vector<std::string>& lines) {
  page.element("ul", {}, [&] {
    for (const auto& line : lines) page.element("li", {}, line);
  });
}

void section(Page& page, const char* id, const std::string& title, const Page::Content& content) {
  const auto heading = std::string(id) + "-title";
  page.element("section", {{"id", id}, {"aria-labelledby", heading}}, [&] {
    page.element("h2", {{"id", heading}}, title);
    content();
  });
}

void fact(Page& page, const std::string& name, const std::string& value, bool is_code = false) {
  page.element("dt", {}, name);
  page.element("dd", {}, [&] {
    if (is_code)
      page.element("code", {}, value);
    else
      page.text(value);
  });
}

std::string word_of(Waits waits) {
  switch (waits) {
    case Waits::for_people: return "waits for people";
    case Waits::for_the_lab: return "not ready";
    case Waits::for_promotion: return "may be promoted";
    case Waits::for_nothing: return "done";
  }
  return {};
}
const char* css_of(Waits waits) {
  switch (waits) {
    case Waits::for_people: return "state people";
    case Waits::for_the_lab: return "state lab";
    case Waits::for_promotion: return "state ready";
    case Waits::for_nothing: return "state done";
  }
  return "state";
}

bool is_about_one_candidate(const reports::RequirementRecord& requirement) {
  return requirement.code == "candidate-failed" || requirement.code == "candidate-undecided" ||
         requirement.code == "candidate-skipped";
}

std::vector<reports::RequirementRecord> unmet_of(const reports::DecisionRecord& decision) {
  std::vector<reports::RequirementRecord> unmet;
  for (const auto& one : decision.requirements) {
    if (!one.met && !is_about_one_candidate(one)) unmet.push_back(one);
  }
  return unmet;
}

std::string command_for(const ShownSet& shown, const char* kind) {
  return fmt::format("patchlab {} {} --department {} --stage {} --reason '...' --key ~/.ssh/id_ed25519.pub", kind,
                     shown.run, shown.department.name, shell_word(shown.stage));
}

void command_line(Page& page, const std::string& command) { page.element("pre", {{"class", "command"}}, command); }

std::string when(Moment moment) { return time_text(rfc3339(moment)); }

const reports::TrialRecord* final_trial(const ShownSet& shown) {
  const auto* trial = reports::find_trial(shown.department, shown.department.final_trial);
  return trial == nullptr ? nullptr : reports::facts_of(shown.department, *trial);
}

struct CheckCount {
  std::size_t passed = 0;
  std::size_t all = 0;
};
CheckCount checks_of(const ShownSet& shown) {
  CheckCount count;
  const auto* trial = final_trial(shown);
  if (trial == nullptr) return count;
  for (const auto& phase : trial->phases) {
    count.all += phase.checks.size();
    count.passed +=
        static_cast<std::size_t>(std::ranges::count(phase.checks, Outcome::pass, &checks::CheckResult::outcome));
  }
  return count;
}

// Else a change that nothing explains, and that failed nobody.
bool is_a_failure(const Failure& failure) { return !reports::is_no_failure(failure.outcome); }

// Before and after of each change that nothing explains, and whether somebody has to accept it.
void write_findings(Page& page, const ShownSet& shown) {
  constexpr std::size_t most = 30;
  constexpr std::size_t longest = 6000;
  const auto findings = reports::findings_of_set(shown.department, shown.candidates);
  if (findings.empty()) return;
  page.element("h3", {}, "What changed, and nothing explains");
  for (std::size_t i = 0; i < std::min(findings.size(), most); ++i) {
    const auto& finding = findings[i];
    const auto& difference = finding.difference;
    const auto* asked = reports::requirement_of(shown.decision, finding);
    page.element("p", {}, [&] {
      page.element("strong", {}, fmt::format("{}: {} {}", finding.machine, difference.kind, difference.item));
      page.text(fmt::format(", {}", asked == nullptr ? "nobody has to decide"
                                    : asked->met     ? asked->waived
                                                     : "needs a decision"));
    });
    if (!difference.why.empty()) page.element("p", {}, difference.why);
    page.element("dl", {{"class", "facts"}}, [&] {
      fact(page, "Before", difference.before.empty() ? "was not there" : shortened(difference.before, longest), true);
      fact(page, "After", difference.after.empty() ? "is gone" : shortened(difference.after, longest), true);
      fact(page, "Seen in", listed(finding.phases));
      fact(page, "With", listed(finding.candidates));
    });
    if (!difference.diff.empty()) page.element("pre", {}, shortened(difference.diff, longest));
    if (asked != nullptr && !asked->met && !asked->command.empty()) page.element("pre", {}, asked->command);
  }
  if (findings.size() > most) page.element("p", {}, fmt::format("{} more are in the report.", findings.size() - most));
}

// The first screen of a phone: the rest of the page in three lines, and where to go.
void write_summary(Page& page, const ShownSet& shown) {
  if (shown.candidates.empty()) return;
  const auto checks = checks_of(shown);
  const auto unmet = unmet_of(shown.decision).size();
  const auto failed = static_cast<std::size_t>(std::ranges::count_if(shown.failures, is_a_failure));
  page.element("p", {{"class", "summary"}},
               fmt::format("The worst is {}. {} of {} checks passed on {}. {}. {}. {}.",
                           reports::worst_severity(shown.record, shown.candidates), checks.passed, checks.all,
                           counted(shown.department.machines.size(), "machine", "machines"),
                           final_trial(shown) == nullptr ? std::string("Nobody knows what failed")
                           : failed == 0                 ? std::string("Nothing failed")
                                                         : counted(failed, "thing failed", "things failed"),
                           shown.people.waivers.empty()
                               ? std::string("Nothing is waived")
                               : counted(shown.people.waivers.size(), "waiver is in force", "waivers are in force"),
                           unmet == 0 ? std::string("Nothing is missing by the policy")
                                      : counted(unmet, "thing is missing", "things are missing")));
  page.element("p", {}, [&] { page.element("a", {{"href", "#do"}}, "Decide"); });
}

void write_what(Page& page, const ShownSet& shown) {
  section(page, "what", "What", [&] {
    if (shown.candidates.empty()) {
      page.element("p", {}, "This run tested no set of patches that could go to production.");
      return;
    }
    page.element("ul", {{"class", "patches"}}, [&] {
      for (const auto& id : shown.candidates) {
        const auto* candidate = reports::find_candidate(shown.record, id);
        page.element("li", {}, [&] {
          severity_badge(page, candidate == nullptr ? "unknown" : candidate->severity);
          page.element("strong", {}, candidate == nullptr || candidate->title.empty() ? id : candidate->title);
          page.element("code", {}, id);
        });
      }
    });
  });
}

void write_why(Page& page, const ShownSet& shown) {
  section(page, "why", "Why it matters", [&] {
    std::map<std::string, std::size_t> by_severity;
    for (const auto& id : shown.candidates) {
      const auto* candidate = reports::find_candidate(shown.record, id);
      const bool is_known = candidate != nullptr && reports::is_known_severity(candidate->severity);
      ++by_severity[is_known ? candidate->severity : "unknown"];
    }
    std::string text;
    const auto say = [&](const char* severity) {
      if (const auto found = by_severity.find(severity); found != by_severity.end())
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", found->second, severity);
    };
    for (const char* severity : reports::known_severities) say(severity);
    say("unknown");
    page.element("p", {},
                 text.empty() ? std::string("Nothing would be installed.")
                              : fmt::format("By the vendors' severities: {}.", text));
  });
}

void write_where(Page& page, const ShownSet& shown) {
  section(page, "where", "Where it was tested", [&] {
    const auto checks = checks_of(shown);
    page.element("p", {},
                 fmt::format("{} of {} checks of exactly this set passed, on {} of department '{}', cloned from golden "
                             "machines into a fenced network.",
                             checks.passed, checks.all,
                             counted(shown.department.machines.size(), "machine", "machines"), shown.department.name));
    page.element("dl", {{"class", "facts"}}, [&] {
      std::vector<std::string> machines;
      for (const auto& machine : shown.department.machines)
        machines.push_back(fmt::format("{} ({})", machine.name, machine.golden));
      fact(page, "Machines", listed(machines));
      if (const auto carrying = reports::carrying_of(shown.record, shown.department.name); carrying.is_carried())
        fact(page, "Not tested here", reports::sentence_of(carrying, shown.run));
      fact(page, "Looked at", listed(shown.department.phases));
      fact(page, "Finished", time_text(shown.record.finished));
      fact(page, "Fence",
           fmt::format("{} out, {}", counted(shown.department.fence.tries(), "try", "tries"),
                       counted(shown.department.fence.answers(), "answer", "answers")));
      fact(page, "Run", shown.run);
    });
  });
}

void write_differences(Page& page, const ShownSet& shown) {
  section(page, "differs", "What differs", [&] {
    std::vector<std::string> lines;
    for (const auto& failure : shown.failures) {
      if (!is_a_failure(failure)) continue;
      const auto* waiver = shown.people.waiver_of(failure);
      lines.push_back(fmt::format("{}/{}: {}{}", failure.machine, failure.name, failure.outcome,
                                  waiver == nullptr ? std::string() : ", waived until " + when(waiver->until)));
    }
    for (const auto* flake : reports::unexplained_flakes(shown.department))
      lines.push_back(fmt::format("{}: {}", flake->fact, reports::counts_of(*flake)));
    for (const auto& sentence : reports::kept_configuration(shown.department)) lines.push_back(sentence);
    const auto findings = reports::findings_of_set(shown.department, shown.candidates).size();
    if (lines.empty() && final_trial(shown) != nullptr)
      page.element("p", {},
                   findings == 0 ? "Nothing that was looked at: with the patches everything answered as without them."
                                 : "Every check answered with the patches as without them.");
    else if (lines.empty())
      page.element("p", {}, "Nobody knows: the set was not tested as a whole.");
    else
      bullets(page, lines);
    write_findings(page, shown);
    std::vector<std::string> held_back;
    for (const auto& verdict : shown.department.verdicts) {
      if (std::ranges::count(shown.candidates, verdict.candidate) == 0 && verdict.outcome != Outcome::skipped)
        held_back.push_back(fmt::format("{}: {}", verdict.candidate, verdict.reason));
    }
    if (!held_back.empty()) {
      page.element("h3", {}, "Held back, and not part of this decision");
      bullets(page, held_back);
    }
    auto gaps = shown.record.not_tested;
    for (const auto& sentence : reports::not_observed(shown.department)) gaps.push_back(sentence);
    if (!gaps.empty()) {
      page.element("h3", {}, "Not tested");
      bullets(page, gaps);
    }
  });
}

void write_waived(Page& page, const ShownSet& shown) {
  section(page, "waived", "What is waived or accepted", [&] {
    if (shown.people.waivers.empty()) {
      page.element("p", {}, "Nothing.");
      return;
    }
    std::vector<std::string> lines;
    for (const auto& waiver : shown.people.waivers) {
      std::vector<std::string> what;
      for (const auto& one : waiver.waives) what.push_back(to_string(one));
      lines.push_back(fmt::format("{} until {}, by {} ({}): {}{}", listed(what), when(waiver.until), waiver.by,
                                  waiver.ticket, waiver.reason,
                                  waiver.approved_by.empty() ? "; counts with the next approval of somebody else"
                                                             : "; approved by " + waiver.approved_by));
    }
    bullets(page, lines);
  });
}

void write_people(Page& page, const ShownSet& shown) {
  section(page, "decided", "Who decided so far", [&] {
    std::vector<std::string> lines;
    for (const auto& one : shown.people.approvals) {
      if (one.again == 0) lines.push_back(fmt::format("Approved by {}, {}: {}", one.by, when(one.at), one.reason));
    }
    for (const auto& one : shown.people.rejections)
      lines.push_back(fmt::format("Rejected by {}, {}: {}", one.by, when(one.at), one.reason));
    for (const auto& one : shown.people.not_counted) {
      if (one.concerns)
        lines.push_back(fmt::format("Does not count, {} ({}): {}", to_string(one.why), one.by, one.text));
    }
    if (lines.empty())
      page.element("p", {}, "Nobody.");
    else
      bullets(page, lines);
  });
}

void write_missing(Page& page, const ShownSet& shown) {
  section(page, "missing", "What is missing before it may go to production", [&] {
    const auto unmet = unmet_of(shown.decision);
    if (unmet.empty()) {
      page.element("p", {}, "Nothing by the policy in force.");
    } else {
      page.element("ul", {}, [&] {
        for (const auto& one : unmet) {
          page.element("li", {}, [&] {
            page.element("code", {}, one.code);
            page.text(" " + one.text);
          });
        }
      });
    }
    page.element("p", {}, "Policy: " + shown.policy);
  });
}

void write_form(Page& page, const ShownSet& shown) {
  const auto lines = std::to_string(shown.ledger.size);
  page.element(
      "form",
      {{"id", "decide"},
       {"hidden", "hidden"},
       {"data-run", shown.run},
       {"data-department", shown.department.name},
       {"data-record", shown.target.run},
       {"data-set", shown.target.set},
       {"data-policy", shown.target.policy},
       {"data-ledger", lines}},
      [&] {
        page.element("div", {{"id", "choose"}}, [&] {
          page.element("p", {}, [&] {
            page.element("label", {{"for", "by"}}, "You are");
            page.element("select", {{"id", "by"}, {"name", "by"}, {"required", "required"}}, [&] {
              if (shown.signers.size() != 1) page.element("option", {{"value", ""}}, "choose");
              for (const auto& name : shown.signers) page.element("option", {{"value", name}}, name);
            });
          });
          page.element("p", {}, [&] {
            page.element("label", {{"for", "reason"}}, "Reason; it is signed as well");
            page.element(
                "textarea",
                {{"id", "reason"}, {"name", "reason"}, {"rows", "2"}, {"maxlength", "400"}, {"required", "required"}},
                "");
          });
          page.element("p", {{"class", "buttons"}}, [&] {
            page.element("button", {{"type", "button"}, {"class", "approve"}, {"data-kind", "approve"}}, "Approve");
            page.element("button", {{"type", "button"}, {"class", "reject"}, {"data-kind", "reject"}}, "Reject");
          });
        });
        page.element("div", {{"id", "read"}, {"hidden", "hidden"}}, [&] {
          page.element("h3", {{"id", "signed-title"}, {"tabindex", "-1"}}, "This is what your key signs");
          page.element("pre", {{"id", "statement"}, {"role", "group"}, {"aria-labelledby", "signed-title"}}, "");
          page.element("p", {{"class", "buttons"}}, [&] {
            page.element("button", {{"type", "button"}, {"id", "sign"}}, "Sign with your security key");
            page.element("button", {{"type", "button"}, {"id", "back"}, {"class", "plain"}}, "Change it");
          });
        });
      });
  page.element("p", {{"id", "answer"}, {"role", "status"}, {"aria-live", "polite"}}, "");
}

void write_signed(Page& page, const ShownSet& shown) {
  page.element("details", {}, [&] {
    page.element("summary", {}, "What a decision names");
    page.element("p", {}, "It counts for exactly this, and for nothing else:");
    page.element("dl", {{"class", "facts"}}, [&] {
      fact(page, "Department", shown.department.name);
      fact(page, "Set (SHA-256 of its SHA256SUMS)", shown.target.set, true);
      fact(page, "Run (SHA-256 of run.json)", shown.target.run, true);
      fact(page, "Policy (SHA-256)", shown.target.policy, true);
      fact(page, "Newest line of the ledger", fmt::format("{}: {}", shown.ledger.size, shown.ledger.hash), true);
    });
  });
}

void write_to_do(Page& page, const ShownSet& shown) {
  section(page, "do", "What to do", [&] {
    if (shown.candidates.empty()) {
      page.element("p", {}, "Nothing: there is no set to decide about.");
      return;
    }
    if (shown.signers.empty()) {
      page.element("p", {{"class", "note"}}, [&] {
        page.text(
            fmt::format("Nobody has a security key for pages of {} in the list of signers, so nobody can sign "
                        "here yet. ",
                        shown.origin.name));
        page.element("a", {{"href", "/enrol"}}, "Enrol one");
        page.text(", or decide on the command line.");
      });
    } else {
      if (waits_for(shown.decision) == Waits::for_the_lab)
        page.element(
            "p", {{"class", "note"}},
            "What is missing above is not for people alone: an approval is kept, and lets nothing pass by itself.");
      write_form(page, shown);
    }
    page.element("h3", {}, "On the command line");
    page.element("p", {}, "Without scripts, or with a key that is no security key:");
    command_line(page, command_for(shown, "approve"));
    command_line(page, command_for(shown, "reject"));
    write_signed(page, shown);
  });
}

std::string headline(const ShownSet& shown) {
  if (shown.candidates.empty()) return fmt::format("{}: nothing to decide", shown.department.name);
  return fmt::format("{}: {}", shown.department.name, counted(shown.candidates.size(), "patch", "patches"));
}

}  // namespace

Waits waits_for(const reports::DecisionRecord& decision) {
  // Published, and nobody looked at it yet.
  if (decision.emergency.is_open()) return Waits::for_people;
  switch (decision.state) {
    case reports::DecisionState::promoted:
    case reports::DecisionState::replaced: return Waits::for_nothing;
    case reports::DecisionState::promotable: return Waits::for_promotion;
    case reports::DecisionState::undecided:
    case reports::DecisionState::refused: break;
  }
  const auto unmet = unmet_of(decision);
  const auto by_people = [](const auto& one) {
    return one.by_people || one.code == "approval-missing" || one.code == "rejected" || one.code == "window-closed";
  };
  return !unmet.empty() && std::ranges::all_of(unmet, by_people) ? Waits::for_people : Waits::for_the_lab;
}

std::string list_page(const std::vector<ListedSet>& sets, const std::vector<std::string>& remarks,
                      const std::string& stage) {
  Page page;
  write_page(page, "What waits", false, [&] {
    page.element("h1", {}, "What waits for a decision");
    page.element("p", {}, "Stage " + stage);
    if (sets.empty()) page.element("p", {}, "No run here tested a set of patches.");
    page.element("ul", {{"class", "sets"}}, [&] {
      for (const auto wanted : {Waits::for_people, Waits::for_promotion, Waits::for_the_lab, Waits::for_nothing}) {
        for (const auto& set : sets) {
          if (waits_for(set.decision) != wanted) continue;
          const auto link = "/set/" + set.run + "/" + set.department;
          page.element("li", {}, [&] {
            page.element("h2", {}, [&] {
              page.element("a", {{"href", link}},
                           fmt::format("{}: {}", set.department, counted(set.candidates.size(), "patch", "patches")));
            });
            page.element("p", {}, [&] {
              page.element("span", {{"class", css_of(wanted)}}, word_of(wanted));
              severity_badge(page, set.worst);
            });
            if (set.decision.emergency.is_one()) page.element("p", {}, to_string(set.decision.emergency));
            page.element("p", {{"class", "muted"}}, fmt::format("{}, tested {}", set.title, time_text(set.finished)));
          });
        }
      }
    });
    if (!remarks.empty()) bullets(page, remarks);
  });
  return page.take();
}

std::string set_page(const ShownSet& shown) {
  Page page;
  write_page(page, headline(shown), true, [&] {
    page.element("h1", {}, headline(shown));
    const auto waits = waits_for(shown.decision);
    page.element("p", {}, [&] {
      page.element("span", {{"class", css_of(waits)}}, word_of(waits));
      if (const auto& title = reports::title_of(shown.record); !title.empty()) page.text(" " + title);
    });
    if (shown.decision.emergency.is_one()) page.element("p", {}, to_string(shown.decision.emergency));
    write_summary(page, shown);
    write_what(page, shown);
    write_why(page, shown);
    write_where(page, shown);
    write_differences(page, shown);
    write_waived(page, shown);
    write_people(page, shown);
    write_missing(page, shown);
    write_to_do(page, shown);
  });
  return page.take();
}

std::string enrolment_page(const std::string& stage, const Origin& origin) {
  Page page;
  write_page(page, "Enrol a security key", true, [&] {
    page.element("h1", {}, "Enrol a security key");
    page.element("p", {},
                 fmt::format("The key will sign on pages of {} only. This makes a line for the list of signers; it "
                             "counts once a root key has signed that list.",
                             origin.name));
    section(page, "make", "1. Register the key", [&] {
      page.element("form", {{"id", "enrol"}, {"hidden", "hidden"}}, [&] {
        page.element("p", {}, [&] {
          page.element("label", {{"for", "name"}}, "Your name, as signers are named: bob@xavier.example");
          page.empty("input", {{"id", "name"},
                               {"name", "name"},
                               {"type", "text"},
                               {"required", "required"},
                               {"maxlength", "120"},
                               {"autocapitalize", "none"},
                               {"spellcheck", "false"},
                               {"autocomplete", "off"}});
        });
        page.element("p", {{"class", "buttons"}}, [&] {
          page.element("button", {{"type", "submit"}}, "Register a security key");
        });
      });
      page.element("p", {{"id", "answer"}, {"role", "status"}, {"aria-live", "polite"}}, "");
      page.element("div", {{"id", "made"}, {"hidden", "hidden"}}, [&] {
        page.element("h3", {{"id", "line-title"}}, "The public key, for a file bob.pub");
        page.element("pre", {{"id", "line"}, {"role", "group"}, {"aria-labelledby", "line-title"}}, "");
      });
      page.element("noscript", {}, [&] {
        page.element("p", {{"class", "note"}},
                     "Registering needs scripts. Keys of ssh-keygen (also ecdsa-sk and ed25519-sk) work on the command "
                     "line without this.");
      });
    });
    section(page, "trust", "2. Put it into the list", [&] {
      page.element("p", {},
                   "Give the line to whoever keeps the list of signers. Compare it by another way than this page.");
      command_line(page, "patchlab trust add signers bob@xavier.example --key bob.pub --may approve,reject,withdraw");
      command_line(page, fmt::format("patchlab trust sign signers --root root.pub --stage {}", shell_word(stage)));
    });
  });
  return page.take();
}

std::string refusal_page(unsigned status, const std::string& code, const std::string& text) {
  Page page;
  write_page(page, "Not here", false, [&] {
    page.element("h1", {}, status == 404 ? "There is no such page" : "This cannot be shown");
    page.element("p", {}, [&] {
      page.element("code", {}, code);
      page.text(" " + text);
    });
  });
  return page.take();
}

}  // namespace patchlab::promotion::browser
