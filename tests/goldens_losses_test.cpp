// Losses, where reductions, blanks and impossible labels differ, as PyTorch has them (tools/goldens.py).
#include "golden.h"

using namespace weft;
using namespace weft::test;
using Tensors = std::vector<Tensor>;

TEST_CASE("the CTC loss and its gradient are PyTorch's: reductions, the blank, labels that can't be", "[golden]") {
  const auto numbers = [](const char* name) { return cast(golden(std::string("ctc.") + name), i64); };
  const Tensor labels = numbers("labels"), lengths = numbers("lengths"), steps = numbers("steps"), few = numbers("few");
  const auto loss = [&](const Tensor& x, const Tensor& of_labels, const Tensor& input, const nn::CtcOptions& options) {
    return nn::ctc_loss(of_labels, log_softmax(x), lengths, input, options);
  };
  constexpr auto none = nn::CtcReduction::none;
  for (const auto& [reduction, name] :
       {std::pair{none, "ctc_none"}, {nn::CtcReduction::sum, "ctc_sum"}, {nn::CtcReduction::mean, "ctc_mean"}})
    check_golden(name, {"x"},
                 [&, r = reduction](const Tensors& t) { return loss(t[0], labels, steps, {.reduction = r}); });
  const Tensor other = where(equal(labels, 3), 0, labels);
  check_golden("ctc_blank", {"x"},
               [&](const Tensors& t) { return loss(t[0], other, steps, {.blank = 3, .reduction = none}); });
  const Tensor x = golden("ctc_none.x");
  CHECK_NEAR(loss(x, labels, few, {.reduction = none}), golden("ctc_impossible.y"), 1e-13);
  CHECK_NEAR(loss(x, labels, few, {.reduction = none, .zero_infinity = true}), golden("ctc_impossible_zeroed.y"),
             1e-13);
  check_golden("ctc_zeroed", {"x"}, [&](const Tensors& t) { return loss(t[0], labels, few, {.zero_infinity = true}); });
}

TEST_CASE("cross-entropies and Huber's loss are PyTorch's", "[golden]") {
  const Tensor classes = cast(golden("cross_entropy.classes"), i64);
  check_golden("cross_entropy", {"x"}, [&](const Tensors& t) { return nn::softmax_cross_entropy(classes, t[0]); });
  check_golden("cross_entropy_probabilities", {"x", "p"},
               [](const Tensors& t) { return nn::softmax_cross_entropy(t[1], t[0]); });
  check_golden("huber", {"x", "p"}, [](const Tensors& t) { return nn::huber(t[1], t[0], 0.7); });
  check_golden("binary_cross_entropy", {"x", "p"},
               [](const Tensors& t) { return mean(nn::sigmoid_cross_entropy_with_logits(t[1], t[0])); });
}
