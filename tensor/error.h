// The error classes. A message reads (contract: one class each, these parts in this order):
//
//     matmul: inner dimensions differ: [2, 3] x [4, 5] (3 vs 4)
//       lhs  f32[2, 3]   input
//       rhs  f32[4, 5]   "fc1.weight"
//       at examples/mlp.cpp:41
//       hint: transpose the right operand? its transpose is [5, 4]
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What every Weft error has. Long parts are shortened.
class Error : public std::exception {
 public:
  explicit Error(std::string rule, std::string hint = {});

  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& op() const { return op_; }      ///< "matmul"; empty outside ops
  const std::string& rule() const { return rule_; }  ///< what was broken
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& operands() const { return operands_; }
  const std::string& site() const { return site_; }  ///< "file:line", empty if not known

  /// Adds what the thrower did not know; parts already there stay.
  void locate(std::string_view op, std::vector<std::string> operands, std::string site);
  /// Puts a composition's name and operands in place of those of the op inside it that threw.
  void relocate(std::string_view op, std::vector<std::string> operands, std::string site);

 private:
  void compose();
  std::string op_, rule_, hint_, site_, text_;
  std::vector<std::string> operands_;
};

struct ShapeError : Error {
  using Error::Error;
};  ///< extents, ranks or counts that do not fit
struct DTypeError : Error {
  using Error::Error;
};  ///< element types that do not fit
struct IndexError : Error {
  using Error::Error;
};  ///< an axis or an index out of range
struct ArgumentError : Error {
  using Error::Error;
};  ///< any other argument that can't be
struct GradError : Error {
  using Error::Error;
};  ///< a gradient that can't be taken
struct GuardError : Error {
  using Error::Error;
};  ///< a call or a value that a trace can't take
struct FormatError : Error {
  using Error::Error;
};  ///< a file that is not what it should be
struct NumericsError : Error {
  using Error::Error;
};  ///< a NaN or Inf where none may be
struct OutOfMemory : Error {
  using Error::Error;
};  ///< an allocation that failed

/// "file:line"; empty where that is not known, or the standard library made the call, as in emplace_back.
std::string site_text(const std::source_location& site);
/// `text`, with its middle cut out if it is longer than `limit`.
std::string shortened(std::string_view text, std::size_t limit = 200);

}  // namespace weft
