// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A Windows program that runs the script of its own name: C:\windows\system32\dism.exe runs
// /usr/lib/patchlab/windows/dism with the same arguments, standard input and output, waits for it and ends with its
// exit code. Wine starts Unix programs too, but cannot wait for them.
//
// Wine's processes are Linux processes, so this one asks Linux directly. Only its end goes through Wine, which has to
// know the exit code: scripts leave it in 32 bits on descriptor 3 where eight are not enough.
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;

struct text { u16 length, capacity; u16 *units; };
extern u32 (__attribute__((ms_abi)) *NtTerminateProcess_at)(u64 process, u32 code);

static char words[65536];
static char *arguments[512];
static char program[300] = "/usr/lib/patchlab/windows/";
static char variables[] = "PATH=/usr/lib/wine:/usr/sbin:/usr/bin:/sbin:/bin\0HOME=/root\0LC_ALL=C.UTF-8\0"
                          "WINEPREFIX=/var/lib/windows\0WINEDEBUG=-all\0WINEDLLOVERRIDES=mscoree,mshtml=\0";
static char *environment[16];

static inline long ask(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
enum { sys_read = 0, sys_close = 3, sys_dup2 = 33, sys_fork = 57, sys_execve = 59, sys_exit = 60, sys_wait4 = 61, sys_pipe2 = 293 };
enum { nonblock = 04000 };

static int put_utf8(char *to, u32 c) {
  if (c < 0x80) return to[0] = (char)c, 1;
  if (c < 0x800) return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
  return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
}

// Words are separated by blanks; double quotes hold them together, a backslash before one makes it an ordinary one.
static void split(const struct text *line) {
  int count = 0, quoted = 0, inside = 0;
  char *to = words;
  for (int i = 0; i < line->length / 2 && to < words + sizeof words - 8; ++i) {
    const u16 c = line->units[i];
    if (c == '\\' && i + 1 < line->length / 2 && line->units[i + 1] == '"') {
      if (!inside && count < 500) arguments[count++] = to, inside = 1;
      *to++ = '"', ++i;
    } else if (c == '"') {
      quoted = !quoted;
      if (!inside && count < 500) arguments[count++] = to, inside = 1;
    } else if ((c == ' ' || c == '\t') && !quoted) {
      if (inside) *to++ = 0, inside = 0;
    } else {
      if (!inside && count < 500) arguments[count++] = to, inside = 1;
      to += put_utf8(to, c);
    }
  }
}

__attribute__((ms_abi)) u32 entry(char *peb) {
  char *parameters = *(char **)(peb + 0x20);
  const struct text *image = (const struct text *)(parameters + 0x60);
  split((const struct text *)(parameters + 0x70));
  int from = image->length / 2, to = 0;
  while (program[to]) ++to;
  while (from > 0 && image->units[from - 1] != '\\') --from;
  for (; from < image->length / 2 && image->units[from] != '.' && to < 290; ++from) {
    const u16 c = image->units[from];
    program[to++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  // Filled here: nobody relocates addresses in the data of this program.
  for (char *at = variables, **next = environment; *at; ++at) {
    *next++ = at;
    while (*at) ++at;
  }
  int pipe[2];
  u32 code = 0, status = 0;
  ask(sys_pipe2, (long)pipe, nonblock, 0, 0);
  const long child = ask(sys_fork, 0, 0, 0, 0);
  if (child == 0) {
    ask(sys_dup2, 1, 2, 0, 0);
    ask(sys_dup2, pipe[1], 3, 0, 0);
    for (int other = 4; other < 256; ++other) ask(sys_close, other, 0, 0, 0);
    arguments[0] = program;
    ask(sys_execve, (long)program, (long)arguments, (long)environment, 0);
    ask(sys_exit, 127, 0, 0, 0);
  }
  ask(sys_close, pipe[1], 0, 0, 0);
  ask(sys_wait4, child, (long)&status, 0, 0);
  code = status & 127 ? 0xC000013A : status >> 8 & 255;  // STATUS_CONTROL_C_EXIT for one that was killed
  // A decimal number. The pipe does not block: a child in the background may hold it open for long.
  char digits[16];
  const long read = ask(sys_read, pipe[0], (long)digits, sizeof digits, 0);
  if (read > 0) {
    code = 0;
    for (long i = 0; i < read && digits[i] >= '0' && digits[i] <= '9'; ++i) code = code * 10 + (u32)(digits[i] - '0');
  }
  NtTerminateProcess_at(~0UL, code);
  return code;
}
