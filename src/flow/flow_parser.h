// SPDX-License-Identifier: Apache-2.0
// Reads flow files. docs/testing.md is the reference of the format.
#pragma once
#include <string>
#include <string_view>

#include "conf/diagnostic.h"
#include "flow/flow_file.h"

namespace ser::flow {

/// Reads `text` as the flow file `path`; findings go to `diagnostics` (codes x06xx), the text to `sources`.
/// All errors are told at once; with errors() above 0 the result is not to be run. Never throws on bad input,
/// linear in the size of the text.
FlowFile parse_flow(std::string path, std::string text, conf::SourceMap& sources,
                    conf::Diagnostics& diagnostics);

}  // namespace ser::flow
