// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The JSON library's templates are compiled once, with the optimizer, in json_instances.cpp, and not again in each of
// the hundreds of units that use them: a part of the precompiled headers, never included by name.
namespace nlohmann::detail {
using text_input = iterator_input_adapter<std::string::const_iterator>;
}  // namespace nlohmann::detail

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::lexer<nlohmann::json, nlohmann::detail::text_input>;
extern template class nlohmann::detail::parser<nlohmann::json, nlohmann::detail::text_input>;
extern template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
extern template class nlohmann::detail::iter_impl<const nlohmann::json>;
extern template class std::vector<nlohmann::json>;
extern template class std::map<std::string, nlohmann::json, nlohmann::json::default_object_comparator_t>;
