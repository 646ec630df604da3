// Which libweft_jit.so this is. Inside it.
#pragma once

#include <string>

namespace weft::jit {

/// The build id that the linker gave the library, in hexadecimal: another one for any other code in it. Empty if it has
/// none.
const std::string& library_id();

}  // namespace weft::jit
