// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

// Signatures of security keys over "approved\n" for patchlab.approve.v1, which stock ssh-keygen calls good. The first
// three were made by ssh-keygen with the provider sk-dummy.so of Debian's openssh-tests (touched; with the key's option
// no-touch-required; with verify-required), the last as a browser makes it, with a P-256 key of openssl. The private
// keys are gone.
namespace patchlab::promotion::testing {

struct SecurityKeySignature {
  const char* name;
  const char* key;
  const char* signature;
  bool touched;
  bool verified;
  const char* origin;
};
inline constexpr const char* signed_by_security_key = "approved\n";

inline constexpr std::array security_key_signatures{
    SecurityKeySignature{
        "touched",
        "sk-ssh-ed25519@openssh.com "
        "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIMSYWZbnXhK1IUnbdKoMJUEOZ7ZLZncTi34pFbqldZ2vAAAABHNzaDo=",
        "-----BEGIN SSH SIGNATURE-----\n"
        "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgxJhZlu\n"
        "deErUhSdt0qgwlQQ5ntktmdxOLfikVuqV1na8AAAAEc3NoOgAAABNwYXRjaGxhYi5hcHBy\n"
        "b3ZlLnYxAAAAAAAAAAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY2\n"
        "9tAAAAQMy00MwwXow8S250ZX25T9oV+cjK/6UeYFKDt5mLoxNdovkVvYH60k2xAp9byXxF\n"
        "H5nZZ978yiW7kWvZo5gJGgkBEjRWeA==\n"
        "-----END SSH SIGNATURE-----\n",
        true, false, ""},
    SecurityKeySignature{
        "untouched",
        "sk-ssh-ed25519@openssh.com "
        "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIOAPfQ+Mq3XUJEuk2UHK/RQbMvsKMqNQW4dikz9vtGwiAAAABHNzaDo=",
        "-----BEGIN SSH SIGNATURE-----\n"
        "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAg4A99D4\n"
        "yrddQkS6TZQcr9FBsy+woyo1Bbh2KTP2+0bCIAAAAEc3NoOgAAABNwYXRjaGxhYi5hcHBy\n"
        "b3ZlLnYxAAAAAAAAAAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY2\n"
        "9tAAAAQK8lBA5P5ur2nDs7DgZroL36B6bA4buK+37aALtsoce/9rQg3Rb4lqFnqlNSLL2o\n"
        "4TjyHDRvjVnkCRxrs97mGQAAEjRWeA==\n"
        "-----END SSH SIGNATURE-----\n",
        false, false, ""},
    SecurityKeySignature{"verified",
                         "sk-ecdsa-sha2-nistp256@openssh.com "
                         "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBDbDBCJCq/"
                         "rv+aoLFmmcADT8iY4Jky0fhYHmhMhtBxdq/4TdPOhw0y6a2L1cjTX/Gkl3xiT2xWh08eWtK0Sjz+wAAAAEc3NoOg==",
                         "-----BEGIN SSH SIGNATURE-----\n"
                         "U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
                         "AAAAhuaXN0cDI1NgAAAEEENsMEIkKr+u/5qgsWaZwANPyJjgmTLR+FgeaEyG0HF2r/hN08\n"
                         "6HDTLprYvVyNNf8aSXfGJPbFaHTx5a0rRKPP7AAAAARzc2g6AAAAE3BhdGNobGFiLmFwcH\n"
                         "JvdmUudjEAAAAAAAAABnNoYTUxMgAAAHkAAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBv\n"
                         "cGVuc3NoLmNvbQAAAEoAAAAhALU8AfaH4LDftbyjd0+p9xPYJ9RHpNPiYE4CT/pDXe8dAA\n"
                         "AAIQC2y5gh48XDyUsF35x0Sdc8hNSdCWlYyfLBj+lkqisjuAUSNFZ4\n"
                         "-----END SSH SIGNATURE-----\n",
                         true, true, ""},
    SecurityKeySignature{"browser",
                         "sk-ecdsa-sha2-nistp256@openssh.com "
                         "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBI5mKNWMz/"
                         "EAv4k6cY6rdVy5Jh2n2coD+WuEn+I932nNSe/"
                         "4W+huKN3pMG7KQgYXIFztGfSINQlOVsxkMG1SghIAAAAXcGF0Y2hsYWIueGF2aWVyLmV4YW1wbGU=",
                         "-----BEGIN SSH SIGNATURE-----\n"
                         "U1NIU0lHAAAAAQAAAJIAAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
                         "AAAAhuaXN0cDI1NgAAAEEEjmYo1YzP8QC/iTpxjqt1XLkmHafZygP5a4Sf4j3fac1J7/hb\n"
                         "6G4o3ekwbspCBhcgXO0Z9Ig1CU5WzGQwbVKCEgAAABdwYXRjaGxhYi54YXZpZXIuZXhhbX\n"
                         "BsZQAAABNwYXRjaGxhYi5hcHByb3ZlLnYxAAAAAAAAAAZzaGE1MTIAAAGlAAAAK3dlYmF1\n"
                         "dGhuLXNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAABJAAAAIF3L0AatMm\n"
                         "0+anxQwtUWJLGjAheVI93nSc9tRGLBx3cLAAAAIQCSIQF6g3/PeEBO8D09mslu7OUPcMcu\n"
                         "twcGVkcWOv4iCAUAAAAHAAAAH2h0dHBzOi8vcGF0Y2hsYWIueGF2aWVyLmV4YW1wbGUAAA\n"
                         "D5eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiVTFOSVUwbEhBQUFBRTNC\n"
                         "aGRHTm9iR0ZpTG1Gd2NISnZkbVV1ZGpFQUFBQUFBQUFBQm5Ob1lUVXhNZ0FBQUVEZE03V2\n"
                         "ptendBMU95UEpvbEkwRzdYTXZXQUNBeHZkbEthYktveF92aGlFcy1acVBFWFlrb0pFaThP\n"
                         "clV3bHh5ZVo0UmZ3Skk2dGFPZjVzSEVHdHVDdyIsIm9yaWdpbiI6Imh0dHBzOi8vcGF0Y2\n"
                         "hsYWIueGF2aWVyLmV4YW1wbGUiLCJjcm9zc09yaWdpbiI6ZmFsc2V9AAAAAA==\n"
                         "-----END SSH SIGNATURE-----\n",
                         true, true, "https://patchlab.xavier.example"},
};

}  // namespace patchlab::promotion::testing
