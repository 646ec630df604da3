#include "safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "file.h"

namespace weft::io {
namespace {

constexpr std::uint64_t max_header = 100'000'000;  // the format's own bound

constexpr std::pair<std::string_view, DType> dtypes[] = {
    {"F32", DType::f32}, {"F64", DType::f64}, {"BF16", DType::bf16}, {"F16", DType::f16},
    {"I32", DType::i32}, {"I64", DType::i64}, {"U8", DType::u8},     {"BOOL", DType::boolean}};

// What the header says of a tensor. Names and extents of all lie end to end in the header's own lists: a file of a
// million entries must not cost many times its size.
struct Entry {
  std::uint64_t begin = 0, end = 0;
  std::uint32_t name_end = 0, shape_end = 0;
  DType dtype = DType::f32;
};

// Takes the header as it is read, keeps what it may have and refuses the rest. It never holds a tree, and is never
// deeper than the format: header, entry, list.
class HeaderReader {
 public:
  std::vector<Entry> entries;
  std::string names;
  std::vector<std::int64_t> extents;
  std::map<std::string, std::string> metadata;
  std::string problem, tensor;  // what was refused, where

  // The interface that nlohmann::json::sax_parse calls; false stops it.
  bool null() { return scalar("null"); }
  bool boolean(bool) { return scalar("a bool"); }
  bool number_float(double, const std::string& text) { return scalar("the number " + shortened(text, 40)); }
  bool number_integer(std::int64_t v) { return scalar("the number " + std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) {
    if (place_ == Place::shape) {
      if (v > static_cast<std::uint64_t>(INT64_MAX)) return refuse(fmt::format("the extent {} overflows", v));
      if (rank_++ == max_rank) return refuse(fmt::format("more than {} dimensions", max_rank));
      extents.push_back(static_cast<std::int64_t>(v));
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_ == 2) return refuse("data_offsets has more than two numbers");
      (offsets_++ == 0 ? now_.begin : now_.end) = v;
      return true;
    }
    return scalar("the number " + std::to_string(v));
  }
  bool string(std::string& s) {
    if (place_ == Place::metadata) {
      metadata[key_] = std::move(s);
      return true;
    }
    if (place_ == Place::entry && key_ == "dtype") {
      const auto at = std::find_if(std::begin(dtypes), std::end(dtypes), [&](const auto& d) { return d.first == s; });
      if (at == std::end(dtypes)) return refuse(fmt::format("unknown dtype \"{}\"", shortened(s, 40)));
      now_.dtype = at->second;
      return true;
    }
    return scalar(fmt::format("the string \"{}\"", shortened(s, 40)));
  }
  bool binary(nlohmann::json::binary_t&) { return scalar("binary"); }

  bool start_object(std::size_t) {
    if (place_ == Place::nothing) {
      place_ = Place::header;
      return true;
    }
    if (place_ != Place::header)
      return refuse(place_ == Place::metadata ? "metadata that is no string" : "an object in an entry");
    if (key_ == "__metadata__") {
      place_ = Place::metadata;
    } else {
      place_ = Place::entry;
      now_ = Entry{};
      seen_ = 0;
    }
    keys_.clear();
    return true;
  }
  bool key(std::string& k) {
    if (place_ == Place::header) {
      tensor = k;
      key_ = k;
      if (!top_keys_.insert(k).second) return refuse("duplicate key");
      return true;
    }
    if (!keys_.insert(k).second) return refuse(fmt::format("duplicate key \"{}\"", shortened(k, 40)));
    key_ = k;
    if (place_ == Place::entry) {
      if (k == "dtype")
        seen_ |= 1;
      else if (k == "shape")
        seen_ |= 2;
      else if (k == "data_offsets")
        seen_ |= 4;
      else
        return refuse(fmt::format("unknown key \"{}\"", shortened(k, 40)));
    }
    return true;
  }
  bool end_object() {
    if (place_ == Place::entry) {
      if (seen_ != 7) return refuse("an entry needs dtype, shape and data_offsets");
      names += tensor;
      now_.name_end = static_cast<std::uint32_t>(names.size());
      now_.shape_end = static_cast<std::uint32_t>(extents.size());
      entries.push_back(now_);
    }
    place_ = place_ == Place::header ? Place::end : Place::header;
    return true;
  }
  bool start_array(std::size_t) {
    if (place_ == Place::nothing) return refuse("the header is no object");
    if (place_ == Place::entry && key_ == "shape") {
      place_ = Place::shape;
      rank_ = 0;
    } else if (place_ == Place::entry && key_ == "data_offsets") {
      place_ = Place::offsets;
      offsets_ = 0;
    } else {
      return refuse(place_ == Place::metadata ? "metadata that is no string" : "a list where none may be");
    }
    return true;
  }
  bool end_array() {
    if (place_ == Place::offsets && offsets_ != 2) return refuse("data_offsets needs two numbers");
    place_ = Place::entry;
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& e) {
    tensor.clear();
    const std::string_view text = e.what();
    return refuse(
        fmt::format("{} at byte {} of the header", text.find("UTF-8") != text.npos ? "not UTF-8" : "not JSON", at));
  }

 private:
  enum class Place { nothing, header, metadata, entry, shape, offsets, end };

  bool refuse(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool scalar(std::string_view what) {
    switch (place_) {
      case Place::nothing: return refuse("the header is no object");
      case Place::header: return refuse(fmt::format("{} where an entry should be", what));
      case Place::metadata:
        return refuse(fmt::format("metadata \"{}\" is {}, not a string", shortened(key_, 40), what));
      case Place::shape: return refuse(fmt::format("{} is no extent", what));
      case Place::offsets: return refuse(fmt::format("{} is no offset", what));
      default: return refuse(fmt::format("{} as {}", what, shortened(key_, 40)));
    }
  }

  Place place_ = Place::nothing;
  std::string key_;
  Entry now_;
  int seen_ = 0, rank_ = 0, offsets_ = 0;
  std::unordered_set<std::string> top_keys_, keys_;
};

// Where the bytes come from: read(offset, to, n).
struct Source {
  std::string name;
  std::uint64_t size;
  std::function<void(std::uint64_t, void*, std::size_t)> read;

  [[noreturn]] void fail(std::string rule, const std::string* tensor = nullptr) const {
    FormatError e(name + ": " + std::move(rule));
    if (tensor) e.locate({}, {fmt::format("tensor \"{}\"", shortened(*tensor, 120))}, {});
    throw e;
  }
};

SafeTensors read_from(const Source& file) {
  if (file.size < 8)
    file.fail(fmt::format("header too small: the file has {} bytes, and the header's length alone takes 8", file.size));
  unsigned char length[8];
  file.read(0, length, 8);
  std::uint64_t n = 0;
  for (int i = 7; i >= 0; --i) n = n << 8 | length[i];
  if (n > max_header) file.fail(fmt::format("header too large: {} bytes, at most {}", n, max_header));
  if (n > file.size - 8)
    file.fail(fmt::format("header length {} is more than the {} bytes that follow", n, file.size - 8));
  HeaderReader header;
  {
    std::string text(n, '\0');
    file.read(8, text.data(), n);
    if (n < 2 || text[0] != '{') file.fail("the header does not begin with {");
    if (const std::size_t nul = text.find('\0'); nul != text.npos)
      file.fail(fmt::format("a NUL at byte {} of the header", nul));
    if (!nlohmann::json::sax_parse(text, &header))
      file.fail(header.problem, header.tensor.empty() ? nullptr : &header.tensor);
  }

  // The spans, in the order of their beginnings, cover the rest of the file: no hole, no overlap, no byte left over.
  struct Span {
    const Entry* entry;
    std::uint32_t name_begin, shape_begin;
  };
  std::vector<Span> spans;
  spans.reserve(header.entries.size());
  std::uint32_t name_at = 0, shape_at = 0;
  for (const Entry& e : header.entries) {
    spans.push_back({&e, name_at, shape_at});
    name_at = e.name_end;
    shape_at = e.shape_end;
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return std::tuple(a.entry->begin, a.entry->end, a.entry) < std::tuple(b.entry->begin, b.entry->end, b.entry);
  });
  const auto name_of_span = [&](const Span& s) {
    return header.names.substr(s.name_begin, s.entry->name_end - s.name_begin);
  };
  const auto shape_of = [&](const Span& s) {
    return Shape(
        std::span<const std::int64_t>(header.extents).subspan(s.shape_begin, s.entry->shape_end - s.shape_begin));
  };
  const std::uint64_t data_size = file.size - 8 - n;
  std::uint64_t covered = 0;
  for (const Span& s : spans) {
    const Entry& e = *s.entry;
    const auto fail = [&](std::string rule) {
      const std::string name = name_of_span(s);
      file.fail(std::move(rule), &name);
    };
    if (e.end < e.begin) fail(fmt::format("data_offsets [{}, {}]: the end is before the beginning", e.begin, e.end));
    if (e.end > data_size)
      fail(fmt::format("data_offsets [{}, {}] reach past the {} bytes of data", e.begin, e.end, data_size));
    if (e.begin < covered)
      fail(fmt::format("data_offsets [{}, {}] overlap those of another tensor, up to {}", e.begin, e.end, covered));
    if (e.begin > covered) fail(fmt::format("a hole in the data from {} to {}", covered, e.begin));
    const Shape shape = shape_of(s);
    std::uint64_t bytes = size_of(e.dtype);
    bool empty = false, overflow = false;
    for (const std::int64_t extent : shape) {
      empty |= extent == 0;
      overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes);
    }
    if (overflow && !empty) fail(fmt::format("the byte count of shape {} overflows", shape.text()));
    if (empty) bytes = 0;
    if (bytes != e.end - e.begin)
      fail(fmt::format("{} of shape {} takes {} bytes, its data_offsets span {}", weft::name_of(e.dtype), shape.text(),
                       bytes, e.end - e.begin));
    covered = e.end;
  }
  if (covered != data_size) file.fail(fmt::format("{} bytes after the last tensor", data_size - covered));

  SafeTensors result;
  result.metadata = std::move(header.metadata);
  for (const Span& s : spans) {
    const Entry& e = *s.entry;
    std::string name = name_of_span(s);
    const Tensor t = Tensor::allocate({e.dtype, shape_of(s)});
    const auto bytes = static_cast<std::size_t>(e.end - e.begin);
    file.read(8 + n + e.begin, t.view().data, bytes);
    if (e.dtype == DType::boolean) {
      const auto* b = static_cast<const unsigned char*>(t.view().data);
      if (const auto* bad = std::find_if(b, b + bytes, [](unsigned char c) { return c > 1; }); bad != b + bytes)
        file.fail(fmt::format("the bool at {} is the byte {}", bad - b, *bad), &name);
    }
    result.tensors.emplace(std::move(name), t);
  }
  return result;
}

}  // namespace

SafeTensors detail::read_safetensors(const std::filesystem::path& path) {
  const InputFile file(path);
  return read_from(
      {shown(path), file.size(), [&](std::uint64_t offset, void* to, std::size_t n) { file.read(offset, to, n); }});
}

SafeTensors read_safetensors(const std::filesystem::path& path, Site site) {
  return weft::detail::called("read_safetensors", site, [&] { return detail::read_safetensors(path); });
}

SafeTensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name, Site site) {
  return weft::detail::called("parse_safetensors", site, [&] {
    return read_from({std::string(name), bytes.size(), [&](std::uint64_t offset, void* to, std::size_t n) {
                        if (n) std::memcpy(to, bytes.data() + offset, n);
                      }});
  });
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata, Site site) {
  weft::detail::called("write_safetensors", site, [&] { detail::write_safetensors(path, tensors, metadata); });
}

void detail::write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  // Largest elements first, so that each tensor lies on a multiple of its element size.
  std::vector<std::pair<const std::string*, const Tensor*>> order;
  for (const auto& [name, t] : tensors) {
    if (!t.defined() || t.is_traced())
      throw ArgumentError(fmt::format("the tensor \"{}\" is {}", shortened(name),
                                      t.defined() ? "traced: it has no elements" : "undefined"));
    if (name == "__metadata__") throw ArgumentError("a tensor can't be called __metadata__");
    order.emplace_back(&name, &t);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    const std::size_t sa = size_of(a.second->dtype()), sb = size_of(b.second->dtype());
    return sa != sb ? sa > sb : *a.first < *b.first;
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const auto& [name, t] : order) {
    const std::uint64_t end = at + static_cast<std::uint64_t>(t->size()) * size_of(t->dtype());
    const auto dtype =
        std::find_if(std::begin(dtypes), std::end(dtypes), [&](const auto& d) { return d.second == t->dtype(); });
    header[*name] = {{"dtype", dtype->first},
                     {"shape", std::vector<std::int64_t>(t->shape().begin(), t->shape().end())},
                     {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) { throw ArgumentError("a name or metadata is not UTF-8"); }
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  if (text.size() > max_header)
    throw ArgumentError(fmt::format("a header of {} bytes, at most {}", text.size(), max_header));

  replace_file(path, [&](const auto& put) {
    unsigned char length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(text.size() >> (8 * i));
    put(length, 8);
    put(text.data(), text.size());
    for (const auto& [name, t] : order) {
      Storage copy;
      put(weft::detail::in_order(t->view(), copy), static_cast<std::size_t>(t->type().bytes()));
    }
  });
}

}  // namespace weft::io
