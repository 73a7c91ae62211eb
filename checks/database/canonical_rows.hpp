// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace patchlab::checks::database {

using Row = std::vector<std::optional<std::string>>;  // no value: SQL NULL

// One row as PostgreSQL's COPY ... TO STDOUT writes it in text format: UTF-8, columns separated by a tab, "\N" for
// NULL, the escapes \\ \t \n \r \b \f \v, and a line feed at the end. The hash of a result is SHA-256 over all of its
// rows in order, so
//   psql -X -c "COPY (<query>) TO STDOUT" | sha256sum
// gives the same digest for columns of type text (cast others: drivers print booleans and floats in their own ways).
[[nodiscard]] std::string canonical_row(const Row& row);

}  // namespace patchlab::checks::database
