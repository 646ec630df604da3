#include "profile.h"

#include "../tensor/error.h"
#include "../tensor/site.h"
#include "work.h"

namespace weft {
namespace {

struct Call {
  const Op& op;
  const Attrs& attrs;
  std::span<const Tensor> in;
  std::size_t outputs;  // op.outputs says it of most ops only
};

// Where the operands do not fit there are no numbers: the op is about to say so.
detail::ProfileItem describe(const Call& c) {
  const Origin origin = SiteScope::origin();
  detail::ProfileItem item{detail::ProfileKind::op, std::string(c.op.name), "", {origin}};
  std::vector<const Type*> in, out;
  std::vector<Type> types(c.outputs);
  for (const Tensor& t : c.in) {
    if (!t.defined()) return item;
    in.push_back(&t.type());
  }
  try {
    c.op.infer(c.attrs, in, types);
  } catch (const Error&) { return item; }
  for (const Type& t : types) out.push_back(&t);
  item = profile_item(c.op, c.attrs, in, out, origin);
  if (c.op.kind == OpKind::view) return item;
  for (const Tensor& t : c.in)
    if (!t.is_traced()) item.bytes += bytes_shown(t.view());
  for (const Type& t : types) item.bytes += static_cast<double>(t.bytes());
  return item;
}

// Of an op at a place, then of each word of its operands' types: sums of products with odd numbers, of which the first
// four do not wait for each other.
std::uint64_t key_of(const Op& op, const Origin& origin) {
  return reinterpret_cast<std::uintptr_t>(&op) * 0x9E3779B97F4A7C15u +
         reinterpret_cast<std::uintptr_t>(origin.file_name()) * 0xC2B2AE3D27D4EB4Fu +
         (std::uint64_t{origin.line()} << 32 | origin.column()) * 0x165667B19E3779F9u +
         reinterpret_cast<std::uintptr_t>(origin.scope) * 0xD6E8FEB86659FD93u;
}
void append(std::uint64_t& key, std::uint64_t word) { key = key * 0x9FB21C651E98DF25u + word; }

}  // namespace

double bytes_shown(const View& view) {
  auto bytes = static_cast<double>(size_of(view.dtype));
  for (int k = 0; k < view.shape.size(); ++k)
    if (view.shape[k] == 0 || view.strides[k] != 0) bytes *= static_cast<double>(view.shape[k]);
  return bytes;
}

detail::ProfileItem profile_item(const Op& op, const Attrs& attrs, Types in, Types out, const Origin& origin) {
  detail::ProfileItem item{detail::ProfileKind::op, std::string(op.name), "", {origin}};
  for (const Type* t : in) item.detail += (item.detail.empty() ? "" : ", ") + t->text();
  const OpWork work = work_of(op, attrs, in, out);
  item.flops = work.flops;
  item.arithmetic = work;
  return item;
}

void profile_op(detail::ProfileSpan& span, const Op& op, const Attrs& attrs, std::span<const Tensor> in,
                std::size_t outputs) {
  std::uint64_t key = key_of(op, SiteScope::origin());
  for (const Tensor& t : in) {
    if (!t.defined()) continue;
    const Type& type = t.type();
    append(key, static_cast<std::uint64_t>(type.dtype) + 1);
    for (const std::int64_t n : type.shape) append(key, static_cast<std::uint64_t>(n));
  }
  const Call call{op, attrs, in, outputs};
  span.begin(
      key, [](const void* c) { return describe(*static_cast<const Call*>(c)); }, &call);
}

}  // namespace weft
