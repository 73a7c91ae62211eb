// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/calendar/calendar.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <ctime>

#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "process/calendar/turn.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file_of(const std::string& events, const std::string& head = "") {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n" + head + events + "END:VCALENDAR\r\n";
}
std::string event(const std::string& lines, const std::string& categories = "WINDOW") {
  return "BEGIN:VEVENT\r\nUID:" + categories + "\r\nSUMMARY:maintenance\r\nCATEGORIES:" + categories + "\r\n" + lines +
         "END:VEVENT\r\n";
}
Calendar calendar_of(const std::string& events, const std::string& head = "") {
  const auto read = parse_calendar(file_of(events, head), "w.ics");
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read ? *read : Calendar{};
}
// "w.ics:6: why | hint", or "".
std::string trouble(const std::string& events, const std::string& head = "") {
  const auto read = parse_calendar(file_of(events, head), "w.ics");
  return read ? "" : read.error().message + " | " + read.error().hint;
}
Moment at(const std::string& time) { return floor<seconds>(parse_rfc3339(time).value()); }

// "2026-12-12T21:00Z +4 h"
std::vector<std::string> windows_of(const DepartmentDays& days) {
  std::vector<std::string> all;
  for (const auto& one : days.windows)
    all.push_back(rfc3339(one.span.from).substr(0, 16) + "Z +" + span_text(one.span.until - one.span.from));
  return all;
}
DepartmentDays days(const Calendar& calendar, const std::string& from, const std::string& to,
                    const std::string& department = "finance") {
  return days_of(calendar, department, at(from), at(to));
}

TEST(Calendar, KnowsTheSecondSaturdayInWinterAndSummer) {
  const auto calendar = calendar_of(
      event("DTSTART;TZID=Europe/Berlin:20260110T220000\r\nDURATION:PT4H\r\nRRULE:FREQ=MONTHLY;BYDAY=2SA\r\n"));
  EXPECT_THAT(windows_of(days(calendar, "2026-02-01T00:00:00Z", "2026-04-30T00:00:00Z")),
              ElementsAre("2026-02-14T21:00Z +4 h", "2026-03-14T21:00Z +4 h", "2026-04-11T20:00Z +4 h"));
}

// Twenty years would leave those for which anybody knows the clocks; by the calendar of <chrono>, which is not
// libical's.
TEST(Calendar, KnowsTheSaturdayAfterTheSecondTuesdayInEachMonth) {
  const auto calendar =
      calendar_of(event("DTSTART;TZID=Europe/Berlin:20180113T220000\r\nDURATION:PT4H\r\n"
                        "RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=12,13,14,15,16,17,18\r\nEXDATE;TZID=Europe/Berlin:"
                        "20180113T220000\r\n"));
  const auto found = days(calendar, "2018-02-01T00:00:00Z", "2038-01-01T00:00:00Z");
  ASSERT_EQ(found.windows.size(), 239U);
  auto month_of = year{2018} / February;
  for (const auto& window : found.windows) {
    const sys_days expected = sys_days(month_of / Tuesday[2]) + std::chrono::days(4);
    EXPECT_EQ(floor<std::chrono::days>(window.event->zone.wall(window.span.from)).time_since_epoch(),
              expected.time_since_epoch());
    month_of += months(1);
  }
}

// The C library reads the same files by its own code.
TEST(Zone, AgreesWithTheCLibraryUntilTheLastYear) {
  const char* const before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati",
                           "Pacific/Pago_Pago", "Africa/Casablanca", "America/Santiago", "Asia/Kathmandu",
                           "America/St_Johns", "Africa/Cairo", "Pacific/Chatham", "Antarctica/Troll"}) {
    const auto zone = Zone::of_system(name);
    ASSERT_TRUE(zone) << name;
    ::setenv("TZ", name, 1);
    ::tzset();
    for (auto when = at("2024-01-01T00:30:00Z"); when < at("2037-12-31T00:00:00Z"); when += hours(1) + minutes(30)) {
      const auto time = static_cast<std::time_t>(when.time_since_epoch().count());
      std::tm shown{};
      ::localtime_r(&time, &shown);
      ASSERT_EQ(zone->offset_at(when), seconds(shown.tm_gmtoff)) << name << " " << rfc3339(when);
    }
  }
  if (before == nullptr)
    ::unsetenv("TZ");
  else
    ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}

TEST(Zone, SaysWhatNeverIsAndWhatIsTwice) {
  const auto zone = Zone::of_system("Europe/Berlin").value();
  const auto shown = [&](const char* wall) { return zone.when(parse_calendar_time(wall)->wall); };
  using Times = Zone::Shown::Times;
  EXPECT_EQ(shown("20260329T023000").times, Times::never);
  EXPECT_EQ(shown("20260329T023000").when, at("2026-03-29T01:30:00Z"));
  EXPECT_EQ(shown("20260329T015959").times, Times::once);
  EXPECT_EQ(shown("20260329T030000").when, at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(shown("20261025T023000").times, Times::twice);
  EXPECT_EQ(shown("20261025T023000").when, at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(shown("20261025T030000").times, Times::once);
  EXPECT_EQ(shown("20261025T030000").when, at("2026-10-25T02:00:00Z"));
  // Half an hour, and on the other side of the world.
  const auto island = Zone::of_system("Australia/Lord_Howe").value();
  EXPECT_EQ(island.when(parse_calendar_time("20261004T021500")->wall).times, Times::never);
  EXPECT_EQ(island.when(parse_calendar_time("20260405T014500")->wall).times, Times::twice);
}

TEST(Zone, IsOfTzdataOrDescribedInTheFile) {
  for (const char* name : {"Mars/Base", "", "../etc/passwd", "/etc/localtime", "W. Europe Standard Time", "Europe"})
    EXPECT_FALSE(Zone::of_system(name)) << name;
  const std::string described =
      "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard "
      "Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200"
      "\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:"
      "16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:"
      "DAYLIGHT\r\nEND:VTIMEZONE\r\n";
  const auto events = event(
      "DTSTART;TZID=W. Europe Standard Time:20260605T220000\r\nDTEND;TZID=\"W. Europe Standard Time\":20260606T020000"
      "\r\nRRULE:FREQ=WEEKLY;BYDAY=FR\r\n");
  const auto calendar = calendar_of(events, described);
  EXPECT_THAT(windows_of(days(calendar, "2026-10-22T00:00:00Z", "2026-11-01T00:00:00Z")),
              ElementsAre("2026-10-23T20:00Z +4 h", "2026-10-30T21:00Z +4 h"));
  // Of the whole calendar, above where it is described.
  const auto its_own = calendar_of(event("DTSTART:20261030T220000\r\nDURATION:PT4H\r\n") + described,
                                   "X-WR-TIMEZONE:W. Europe Standard Time\r\n");
  EXPECT_THAT(windows_of(days(its_own, "2026-10-22T00:00:00Z", "2026-11-01T00:00:00Z")),
              ElementsAre("2026-10-30T21:00Z +4 h"));
  EXPECT_THAT(trouble(events), AllOf(HasSubstr("nobody knows the time zone 'W. Europe Standard Time'"),
                                     HasSubstr("| a name of tzdata such as Europe/Berlin")));
  EXPECT_THAT(trouble(events, "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nEND:VTIMEZONE\r\n"),
              HasSubstr("has neither STANDARD nor DAYLIGHT"));
}

TEST(Calendar, HasNoWindowInAnHourThatNeverIsAndSaysSo) {
  const auto lines = [](const char* kind) {
    return event(
        "DTSTART;TZID=Europe/Berlin:20260315T023000\r\nDURATION:PT2H\r\nRRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=3\r\n", kind);
  };
  const auto windows = days(calendar_of(lines("WINDOW")), "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
  // RFC 5545, 3.3.10: not counted either.
  EXPECT_THAT(windows_of(windows),
              ElementsAre("2026-03-15T01:30Z +2 h", "2026-03-22T01:30Z +2 h", "2026-04-05T00:30Z +2 h"));
  EXPECT_THAT(windows.remarks, ElementsAre("window 'maintenance': 2026-03-29 02:30 in Europe/Berlin does not exist, "
                                           "since the clocks go forward: no window that night"));
  // Rather kept than lost.
  const auto frozen = days(calendar_of(lines("FREEZE")), "2026-03-28T00:00:00Z", "2026-05-01T00:00:00Z");
  ASSERT_EQ(frozen.freezes.size(), 1U);
  EXPECT_EQ(frozen.freezes[0].span, (Span{at("2026-03-29T01:30:00Z"), at("2026-03-29T03:30:00Z")}));
  EXPECT_THAT(frozen.remarks, ElementsAre(HasSubstr("it begins at 2026-03-29 03:30 +02:00")));
}

TEST(Calendar, BeginsAtTheFirstOfTwoHoursAndLastsAsLongAsItSays) {
  const auto twice = days(calendar_of(event("DTSTART;TZID=Europe/Berlin:20261018T023000\r\nDURATION:PT2H\r\n"
                                            "RRULE:FREQ=WEEKLY;BYDAY=SU\r\n")),
                          "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z");
  EXPECT_THAT(windows_of(twice), ElementsAre("2026-10-25T00:30Z +2 h"));
  EXPECT_THAT(twice.remarks, ElementsAre(HasSubstr("is shown twice, since the clocks go back: it begins at the first, "
                                                   "2026-10-25 02:30 +02:00")));
  // Hours are exact; a day is one of the calendar, here of 25 hours.
  const auto across = [&](const char* duration) {
    return windows_of(
        days(calendar_of(event(fmt::format("DTSTART;TZID=Europe/Berlin:20261024T220000\r\nDURATION:{}\r\n", duration))),
             "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"));
  };
  EXPECT_THAT(across("PT6H"), ElementsAre("2026-10-24T20:00Z +6 h"));
  EXPECT_THAT(across("P1D"), ElementsAre("2026-10-24T20:00Z +1 d 1 h"));
}

TEST(Calendar, EndsAtTheMomentThatUntilSays) {
  const auto until = [](const char* end) {
    return windows_of(
        days(calendar_of(event(fmt::format("DTSTART;TZID=Pacific/Kiritimati:20260605T220000\r\nDURATION:PT1H"
                                           "\r\nRRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL={}\r\n",
                                           end))),
             "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"));
  };
  // 22:00 there is 08:00 UTC: libical, which compares clocks without zones, would leave out the last one.
  EXPECT_THAT(until("20260612T080000Z"), ElementsAre("2026-06-05T08:00Z +1 h", "2026-06-12T08:00Z +1 h"));
  EXPECT_THAT(until("20260612T075959Z"), ElementsAre("2026-06-05T08:00Z +1 h"));
}

TEST(Calendar, FreezesBeatWindows) {
  const auto calendar = calendar_of(
      event("DTSTART;TZID=Europe/Berlin:20261204T220000\r\nDURATION:PT4H\r\nRRULE:FREQ=WEEKLY;BYDAY=FR\r\n") +
          "BEGIN:VEVENT\r\nSUMMARY:year end\r\nCATEGORIES:FREEZE\r\nDTSTART;VALUE=DATE:20261219\r\nDTEND;VALUE=DATE:"
          "20270107\r\nEND:VEVENT\r\n"
          "BEGIN:VEVENT\r\nSUMMARY:audit\r\nCATEGORIES:FREEZE,department:finance\r\nDTSTART:20261211T220000Z\r\n"
          "DTEND:20261211T230000Z\r\nEND:VEVENT\r\n",
      "X-WR-TIMEZONE:Europe/Berlin\r\n");
  const auto found = days(calendar, "2026-12-11T00:00:00Z", "2027-01-09T00:00:00Z");
  ASSERT_EQ(found.windows.size(), 5U);
  // 11 December: an hour in the middle is taken. 18 December: midnight cuts it. Then two that are frozen.
  EXPECT_THAT(found.windows[0].open, ElementsAre(Span{at("2026-12-11T21:00:00Z"), at("2026-12-11T22:00:00Z")},
                                                 Span{at("2026-12-11T23:00:00Z"), at("2026-12-12T01:00:00Z")}));
  EXPECT_THAT(found.windows[1].open, ElementsAre(Span{at("2026-12-18T21:00:00Z"), at("2026-12-18T23:00:00Z")}));
  EXPECT_THAT(found.windows[2].open, IsEmpty());
  EXPECT_EQ(found.windows[2].frozen_by.at(0)->summary, "year end");
  EXPECT_THAT(found.windows[3].open, IsEmpty());
  EXPECT_EQ(found.windows[4].open.size(), 1U);
  // Of another department, only that which is for all.
  const auto other = days(calendar, "2026-12-11T00:00:00Z", "2027-01-09T00:00:00Z", "hr");
  EXPECT_EQ(other.windows[0].open.size(), 1U);
  EXPECT_EQ(other.freezes.size(), 1U);
  // A freeze that begins behind the end of what is asked, and within the last window.
  const auto cut = days(calendar, "2026-12-18T00:00:00Z", "2026-12-18T22:00:00Z");
  EXPECT_EQ(cut.windows.at(0).open, found.windows[1].open);
}

TEST(Calendar, TakesAStartThatWasMovedOrCancelled) {
  const auto calendar = calendar_of(
      event(
          "DTSTART;TZID=Europe/Berlin:20261204T220000\r\nDURATION:PT4H\r\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=4\r\nEXDATE;"
          "TZID=Europe/Berlin:20261225T220000\r\n") +
      event(
          "RECURRENCE-ID;TZID=Europe/Berlin:20261211T220000\r\nDTSTART;TZID=Europe/Berlin:20261212T200000\r\nDURATION:"
          "PT2H\r\n") +
      event("RECURRENCE-ID;TZID=Europe/Berlin:20261218T220000\r\nSTATUS:Cancelled \r\n"));
  EXPECT_THAT(windows_of(days(calendar, "2026-12-01T00:00:00Z", "2027-02-01T00:00:00Z")),
              ElementsAre("2026-12-04T21:00Z +4 h", "2026-12-12T19:00Z +2 h"));
}

TEST(Calendar, NamesFileLineAndNextStep) {
  const std::string start = "DTSTART;TZID=Europe/Berlin:20261204T220000\r\n";
  const std::string hours4 = "DURATION:PT4H\r\n";
  const std::vector<std::array<std::string, 2>> wrong{
      {event(start + hours4, "FREZE"), "w.ics:7: the category 'FREZE' is not known | WINDOW, FREEZE, department:NAME"},
      {event(start + hours4, "WINDOW,finance"), "w.ics:7: the category 'finance' is not known"},
      {event(start + hours4, "WINDOW,FREEZE"), "w.ics:7: is both"},
      {event(start + hours4, "department:finance"),
       "w.ics:4: the event 'maintenance' is neither a window nor a freeze"},
      {event(start + hours4, "WINDOW,department:a b"), "the name of the department 'a b' must"},
      {event(start), "w.ics:4: the event needs DTEND or DURATION"},
      {event(hours4), "w.ics:4: the event has no DTSTART"},
      {event(start + "DURATION:PT0S\r\n"), "w.ics:9: DURATION 'PT0S'"},
      {event(start + "DURATION:-PT4H\r\n"), "w.ics:9: DURATION"},
      {event(start + "DTEND;TZID=Europe/Berlin:20261204T210000\r\n"), "w.ics:9: DTEND is not after DTSTART"},
      {event("DTSTART:20261204T220000\r\n" + hours4), "w.ics:8: DTSTART says no time zone"},
      {event("DTSTART;TZID=Europe/Berlin:20261304T220000\r\n" + hours4),
       "w.ics:8: DTSTART '20261304T220000' is no time"},
      {event("DTSTART:20391204T220000Z\r\n" + hours4), "is no time of 2000 to 2037"},
      {event(start + hours4 + "RRULE:FREQ=HOURLY\r\n"), "w.ics:10: the rule 'FREQ=HOURLY' recurs 'HOURLY'"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;BYDAY=XX\r\n"), "w.ics:10: the rule"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;BYHOUR=3\r\n"), "has 'BYHOUR=3', which is none of"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;\r\n"), "has '', which is none of"},
      // What libical reads as something else than it says.
      {event(start + hours4 + "RRULE:FREQ=YEARLY;BYDAY=FR;BYMONTH=12;BYSETPOS=1\r\n"),
       "w.ics:10: the rule 'FREQ=YEARLY;BYDAY=FR;BYMONTH=12;BYSETPOS=1' has BYSETPOS, which is read where it is "
       "MONTHLY"},
      {event(start + hours4 + "RRULE:BYSETPOS=1;FREQ=WEEKLY;BYDAY=FR\r\n"), "has BYSETPOS, which is read where"},
      {event(start + hours4 + "RRULE:FREQ=DAILY;BYMONTHDAY=4,-1\r\n"),
       "counts BYMONTHDAY from the end of a month, which is read where it is MONTHLY"},
      {event(start + hours4 + "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=-28\r\n"), "from the end of a month"},
      {event(start + hours4 + "RRULE:FREQ=YEARLY;BYMONTHDAY=4\r\n"),
       "is YEARLY with BYMONTHDAY and without BYMONTH: write MONTHLY, or the month"},
      {event(start + hours4 + "RRULE:FREQ=YEARLY;BYWEEKNO=49;BYDAY=FR\r\n"),
       "has BYWEEKNO, of which programs differ where a week is of two years"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;INTERVAL=65537\r\n"),
       "has an INTERVAL that is no number from 1 to 1000"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;INTERVAL=0\r\n"), "has an INTERVAL that is no number"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;INTERVAL=-2\r\n"), "has an INTERVAL that is no number"},
      {event(start + hours4 + "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n"), "w.ics:4: the rule never recurs"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;BYDAY=SA\r\n"),
       "DTSTART is no start by the rule, whose first is on 2026-12-05"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;UNTIL=20271231\r\n"), "w.ics:10: UNTIL must be a moment in UTC"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;COUNT=2;UNTIL=20271231T000000Z\r\n"), "has both COUNT and UNTIL"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY\r\nEXDATE;VALUE=DATE:20261211\r\n", "WINDOW"),
       "w.ics:11: EXDATE says no time zone"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY\r\nEXDATE;TZID=Europe/Berlin:20261211T210000\r\n"),
       "w.ics:11: takes away a start that the event does not have: 2026-12-11 21:00 +01:00"},
      {event(start + hours4 + "RDATE;TZID=Europe/Berlin:20261205T220000\r\n"), "w.ics:10: RDATE is not read"},
      {event(start + hours4 + "STATUS:TENTATIVE\r\n"), "w.ics:10: is tentative"},
      {event(start + hours4 + "STATUS:CANCELED\r\n"), "w.ics:10: STATUS 'CANCELED' is none that is known"},
      {event(start + hours4 + "STATUS:CONFIRMED\r\nSTATUS:CANCELLED\r\n"), "w.ics:11: STATUS is there twice"},
      {event(start + hours4 + "STATUS:tentative \r\n"), "w.ics:10: is tentative"},
      {event(start + hours4) + event(start + hours4),
       "w.ics:11: has the UID 'WINDOW', as the event of line 4 has: nobody can tell which of them counts"},
      {event(start + hours4 + "STATUS:CANCELLED\r\n") + event(start + hours4), "w.ics:12: has the UID 'WINDOW'"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY\r\n") +
           event("RECURRENCE-ID;TZID=Europe/Berlin:20261211T220000\r\n" + start + hours4) +
           event("RECURRENCE-ID:20261211T210000Z\r\n" + start + hours4),
       "w.ics:24: stands for the same start as line 16"},
      {event(start + hours4 + "RRULE:FREQ=WEEKLY;UNTIL=20261204T205959Z\r\n", "FREEZE"),
       "w.ics:4: has no start that is left"},
      {event(start + hours4 + "EXDATE:20261204T210000Z\r\n", "FREEZE"), "w.ics:4: has no start that is left"},
      {event(start + hours4) + "BEGIN:VTODO\r\nCATEGORIES:FREEZE\r\nEND:VTODO\r\n",
       "w.ics:12: is a category 'FREEZE' of a VTODO, and only a VEVENT is one"},
      {"END:VCALENDAR\r\nBEGIN:VCALENDAR\r\n" + event(start + hours4), "w.ics:5: begins a second calendar"},
      {event(start + start + hours4), "w.ics:9: DTSTART is there twice"},
      {"BEGIN:VEVENT\r\nCATEGORIES:WINDOW\r\n", "w.ics:6: END:VCALENDAR ends what did not begin"},
      {"", "w.ics:1: has no VEVENT"},
      {"nonsense\r\n", "w.ics:4: 'nonsense' is no line of a calendar"},
  };
  for (const auto& [events, why] : wrong) {
    const auto said = trouble(events);
    EXPECT_THAT(said, AllOf(HasSubstr(why), HasSubstr("w.ics:"), ::testing::Not(::testing::EndsWith(" | ")))) << events;
  }
  const auto whole = event(start + hours4);
  EXPECT_THAT(trouble(whole, "METHOD:CANCEL\r\n"), HasSubstr("w.ics:4: METHOD 'CANCEL' takes events away"));
  EXPECT_THAT(trouble(whole, "X-WR-TIMEZONE:Europe/Berlin\r\nX-WR-TIMEZONE:Asia/Tokyo\r\n"),
              HasSubstr("w.ics:5: X-WR-TIMEZONE is there twice"));
  EXPECT_THAT(parse_calendar("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "w.ics").error().message,
              "w.ics:2: is the end, and END:VCALENDAR is missing: it was cut");
  EXPECT_THAT(parse_calendar("{}", "w.ics").error().message, HasSubstr("w.ics:1: '{}' is no line"));
}

// What other programs write: line feeds alone, folded lines, alarms, properties of their own.
TEST(Calendar, TakesWhatOtherProgramsWrite) {
  const auto calendar = parse_calendar(
      "\xef\xbb\xbf"
      "begin:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Patching\nMETHOD:PUBLISH\nBEGIN:VEVENT\nUID:a\nSUMMARY:Friday\\, at "
      "night\nDESCRIPTION:a long\n  one\nCATEGORIES:Window,Department:Fin\n ance\nDTSTART:20261204T220000Z\nDTEND:"
      "20261205T020000Z\nTRANSP:OPAQUE\nX-MOZ-GENERATION:1\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\n"
      "END:VEVENT\nBEGIN:VTODO\nSUMMARY:x\nEND:VTODO\nEND:VCALENDAR",
      "w.ics");
  ASSERT_TRUE(calendar) << calendar.error().message;
  ASSERT_EQ(calendar->events.size(), 1U);
  EXPECT_EQ(calendar->events[0].summary, "Friday, at night");
  EXPECT_THAT(calendar->departments(), ElementsAre("finance"));
}

TEST(Turn, IsTheNextWindowOrTheEmergencyLane) {
  const auto calendar = calendar_of(
      event("DTSTART;TZID=Europe/Berlin:20261204T220000\r\nDURATION:PT4H\r\nRRULE:FREQ=WEEKLY;BYDAY=FR\r\n") +
      event("DTSTART;TZID=Europe/Berlin:20261210T000000\r\nDURATION:P3D\r\n", "FREEZE"));
  const auto now = at("2026-12-10T12:00:00Z");
  const auto found = days_of(calendar, "finance", now, now + farthest_window);
  const auto normal = turn_of(found, now, {});
  EXPECT_EQ(normal.kind, Turn::Kind::window);
  EXPECT_EQ(normal.opening.span.from, at("2026-12-18T21:00:00Z"));
  // Within an open window: what is left of it.
  EXPECT_EQ(turn_of(found, at("2026-12-18T22:00:00Z"), {}).opening.span,
            (Span{at("2026-12-18T22:00:00Z"), at("2026-12-19T01:00:00Z")}));
  EXPECT_EQ(turn_of(found, at("2026-12-18T22:00:00Z"), {}).opening.begin, at("2026-12-18T21:00:00Z"));
  EXPECT_EQ(normal.opening.begin, normal.opening.span.from);
  EXPECT_FALSE(normal.opening.is_open);
  // It began when the freeze ended, also for who asks when that is over.
  const auto cut = calendar_of(event("DTSTART;TZID=Europe/Berlin:20261218T220000\r\nDURATION:PT4H\r\n") +
                               event("DTSTART;TZID=Europe/Berlin:20261218T200000\r\nDURATION:PT3H\r\n", "FREEZE"));
  for (const char* const moment : {"2026-12-18T12:00:00Z", "2026-12-18T21:30:00Z", "2026-12-18T23:00:00Z"}) {
    const auto asked = days_of(cut, "finance", at(moment), at(moment) + farthest_window);
    EXPECT_EQ(turn_of(asked, at(moment), {}).opening.begin, at("2026-12-18T22:00:00Z")) << moment;
  }
  EXPECT_EQ(turn_of(found, at("2026-12-19T01:00:00Z"), {}).opening.span.from, at("2026-12-25T21:00:00Z"));

  const auto frozen = turn_of(found, now, {true, 1});
  EXPECT_EQ(frozen.kind, Turn::Kind::none);
  EXPECT_THAT(frozen.why,
              HasSubstr("frozen by 'maintenance' until 2026-12-13 00:00 +01:00: 2 approvals beat that, and it has 1"));
  EXPECT_EQ(turn_of(found, now, {true, 2}).kind, Turn::Kind::emergency_lane);
  EXPECT_EQ(turn_of(found, at("2026-12-13T12:00:00Z"), {true, 0}).kind, Turn::Kind::emergency_lane);

  const auto never = calendar_of(event("DTSTART:20200101T000000Z\r\nDURATION:PT4H\r\n"));
  const auto none = turn_of(days_of(never, "finance", now, now + farthest_window), now, {});
  EXPECT_EQ(none.kind, Turn::Kind::none);
  EXPECT_EQ(none.why, "department 'finance' has no window within 400 days");
}

TEST(Turn, SaysWhetherMeasuredTimesFit) {
  const Span hour{at("2026-12-18T21:00:00Z"), at("2026-12-18T22:00:00Z")};
  EXPECT_EQ(fit_of(hour, Needs{minutes(30), minutes(60)}), Fit::one_after_another);
  EXPECT_EQ(fit_of(hour, Needs{minutes(60), minutes(60) + milliseconds(1)}), Fit::side_by_side);
  EXPECT_EQ(fit_of(hour, Needs{minutes(60) + milliseconds(1), minutes(90)}), Fit::no);
  EXPECT_EQ(fit_of(hour, std::nullopt), Fit::unknown);
}

TEST(Turn, SaysWhetherSomethingWasDoneInAWindow) {
  const auto calendar = calendar_of(
      event("DTSTART;TZID=Europe/Berlin:20261204T220000\r\nDURATION:PT4H\r\nRRULE:FREQ=WEEKLY;BYDAY=FR\r\n") +
      event("DTSTART:20261218T000000Z\r\nDURATION:P3D\r\n", "FREEZE"));
  const auto found = days(calendar, "2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z");
  const auto inside = [&](const char* from, const char* until, const Promoted& promoted = {}) {
    return inside_of(found, {at(from), at(until)}, promoted);
  };
  EXPECT_EQ(inside("2026-12-11T21:00:00Z", "2026-12-12T01:00:00Z"), Inside::inside);
  EXPECT_EQ(inside("2026-12-11T20:59:59Z", "2026-12-11T21:00:01Z"), Inside::cannot_tell);
  EXPECT_EQ(inside("2026-12-12T01:00:00Z", "2026-12-18T00:00:00Z"), Inside::outside);
  EXPECT_EQ(inside("2026-12-18T21:00:00Z", "2026-12-18T21:00:01Z"), Inside::outside) << "frozen";
  EXPECT_EQ(inside("2026-12-18T21:00:00Z", "2026-12-18T21:00:01Z", {true, 1}), Inside::outside) << "frozen";
  EXPECT_EQ(inside("2026-12-18T21:00:00Z", "2026-12-18T21:00:01Z", {true, 2}), Inside::inside);
  EXPECT_EQ(inside("2026-12-13T21:00:00Z", "2026-12-13T21:00:01Z", {true, 0}), Inside::inside);
  EXPECT_EQ(inside("2026-12-13T21:00:00Z", "2026-12-18T21:00:01Z", {true, 0}), Inside::cannot_tell);
  // By the clock of a machine.
  EXPECT_EQ(moment_of_wall(found, parse_calendar_time("20261211T220000")->wall)->from, at("2026-12-11T21:00:00Z"));
  EXPECT_FALSE(moment_of_wall(days(calendar, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
                              parse_calendar_time("20261211T220000")->wall));
}

}  // namespace
}  // namespace patchlab::process
