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
};

// Where the operands do not fit there are no numbers: the op is about to say so.
detail::ProfileItem describe(const Call& c) {
  const Origin origin = SiteScope::origin();
  detail::ProfileItem item{detail::ProfileKind::op, std::string(c.op.name), "", {origin}};
  std::vector<const Type*> in, out;
  std::vector<Type> types(static_cast<std::size_t>(c.op.outputs));
  for (const Tensor& t : c.in) {
    if (!t.defined()) return item;
    in.push_back(&t.type());
  }
  if (c.op.outputs < 1) return item;
  try {
    c.op.infer(c.attrs, in, types);
  } catch (const Error&) { return item; }
  for (const Type& t : types) out.push_back(&t);
  item = profile_item(c.op, c.attrs, in, out, origin);
  if (c.op.kind == OpKind::view) return item;
  for (const Tensor& t : c.in)
    if (!t.is_traced()) item.bytes += bytes_shown(t.view());
  for (const Type& t : types) item.bytes += static_cast<double>(count(t.shape)) * static_cast<double>(size_of(t.dtype));
  return item;
}

void mix_site(std::uint64_t& key, const Origin& origin) {
  detail::mix(key, reinterpret_cast<std::uintptr_t>(origin.file_name()));
  detail::mix(key, std::uint64_t{origin.line()} << 32 | origin.column());
  detail::mix(key, reinterpret_cast<std::uintptr_t>(origin.scope));
}

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

void profile_op(detail::ProfileSpan& span, const Op& op, const Attrs& attrs, std::span<const Tensor> in) {
  std::uint64_t key = reinterpret_cast<std::uintptr_t>(&op);
  mix_site(key, SiteScope::origin());
  for (const Tensor& t : in) {
    if (!t.defined()) continue;
    const Type& type = t.type();
    detail::mix(key, static_cast<std::uint64_t>(type.dtype));
    for (const std::int64_t n : type.shape) detail::mix(key, static_cast<std::uint64_t>(n));
  }
  const Call call{op, attrs, in};
  span.begin(
      key, [](const void* c) { return describe(*static_cast<const Call*>(c)); }, &call);
}

}  // namespace weft
