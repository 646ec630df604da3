// safetensors: named tensors in a file that Python reads too. https://github.com/huggingface/safetensors
//
// A reader of files it does not trust: everything is checked against the size of the file before any tensor's memory is
// asked for. FormatError names the file, the check and the tensor.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "../tensor/site.h"
#include "../tensor/tensor.h"

namespace weft::io {

struct SafeTensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads F32, F64, BF16, F16, I32, I64, U8 and BOOL tensors.
SafeTensors read_safetensors(const std::filesystem::path& path, Site site = Site::current());
/// The same of bytes in memory, which messages call `name`.
SafeTensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name = "bytes",
                              Site site = Site::current());

/// Writes a file in the place of `path` at once or not at all (temporary file, fsync, rename); its data begin at a
/// multiple of 64 bytes. ArgumentError for an undefined or traced tensor or the name "__metadata__", FormatError with
/// the reason if it can't be written.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {}, Site site = Site::current());

namespace detail {
// The same, for functions that say their own name.
SafeTensors read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata);
}  // namespace detail

}  // namespace weft::io
