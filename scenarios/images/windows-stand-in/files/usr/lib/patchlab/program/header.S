// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
// Headers of a Windows program for x86-64 (PE32+), by hand, and its one import. The file lies in memory as it is:
// every address here is both an offset in the file and one in memory (linker script: pe.ld).
	.section .header, "aw"
dos:	.ascii "MZ"
	.zero 58
	.long pe - dos
pe:	.ascii "PE\0\0"
	.short 0x8664, 1			// x86-64, one section
	.long 0, 0, 0
	.short sections - optional, 0x22	// executable, may lie above 2 GiB
optional:
	.short 0x20b, 0
	.long code_size, 0, 0, entry, 0x1000
	.quad 0x140000000			// preferred address
	.long 0x1000, 0x1000			// alignment in memory and in the file
	.short 6, 0, 0, 0, 6, 0			// versions
	.long 0, file_size, 0x1000, 0
	.short 3, 0x100				// console program
	.quad 0x100000, 0x10000, 0x100000, 0x1000
	.long 0, 16
	.long 0, 0, imports, 40
	.zero 8 * 14
sections:
	.ascii ".text\0\0\0"
	.long code_size, 0x1000, code_size, 0x1000, 0, 0, 0, 0xe0000060

	.section .imports, "aw"
imports: .long lookup, 0, 0, library, NtTerminateProcess_at
	.zero 20
lookup:	.quad name, 0
	.globl NtTerminateProcess_at
NtTerminateProcess_at:
	.quad name, 0
name:	.short 0
	.asciz "NtTerminateProcess"
library: .asciz "ntdll.dll"
	.section .note.GNU-stack, "", @progbits
