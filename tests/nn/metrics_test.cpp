// Metrics against counts made by hand.
#include <weft/weft.h>

#include <cmath>
#include <string>

#include "catch.h"

using namespace weft;

TEST_CASE("a confusion matrix counts, and gives precision, recall and F1") {
  nn::ConfusionMatrix m(3);
  CHECK(std::isnan(m.accuracy()));
  CHECK(m.f1() == 0);
  m.update(tensor<std::int64_t>({0, 0, 0, 1, 1}), tensor<std::int64_t>({0, 0, 1, 1, 2}));
  m.update(tensor<std::int32_t>({2, 2}), tensor({{0.1, 0.2, 0.3}, {5, 2, 1}}));  // scores: 2 and 0
  CHECK(m.total() == 7);
  CHECK(m.result().to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 1, 0, 0, 1, 1, 1, 0, 1});
  CHECK(m.at(2, 0) == 1);
  CHECK(m.accuracy() == Approx(4.0 / 7));
  CHECK(m.precision(0) == Approx(2.0 / 3));
  CHECK(m.recall(0) == Approx(2.0 / 3));
  CHECK(m.precision(1) == Approx(0.5));
  CHECK(m.recall(1) == Approx(0.5));
  CHECK(m.f1(2) == Approx(0.5));
  CHECK(m.precision() == Approx((2.0 / 3 + 1) / 3));
  CHECK(m.f1() == Approx((2.0 / 3 + 0.5 + 0.5) / 3));
  CHECK(m.text({"a", "b", "long name"}) ==
        "label              a          b  long name  precision  recall     f1\n"
        "a                  2          1          0      0.667   0.667  0.667\n"
        "b                  0          1          1      0.500   0.500  0.500\n"
        "long name          1          0          1      0.500   0.500  0.500\n");
  m.reset();
  CHECK(m.total() == 0);
}

TEST_CASE("of two classes one score an element is enough") {
  const Tensor y = tensor({{1}, {0}, {1}, {0}}), logits = tensor({{2}, {-1}, {-3}, {0}});
  CHECK(nn::accuracy(y, logits) == 0.75);
  CHECK(nn::accuracy(squeeze(cast(y, i64)), logits) == 0.75);
  CHECK(nn::accuracy(y, sigmoid(logits), 0.5) == 0.75);
  nn::Precision precision;
  nn::Recall recall;
  nn::F1 f1;
  nn::Accuracy accuracy;
  precision.update(y, logits);
  recall.update(y, logits);
  f1.update(y, logits);
  accuracy.update(y, logits);
  CHECK(precision.result() == 1);
  CHECK(recall.result() == 0.5);
  CHECK(f1.result() == Approx(2.0 / 3));
  CHECK(accuracy.result() == 0.75);
  accuracy.reset();
  CHECK(std::isnan(accuracy.result()));
  CHECK(nn::accuracy(tensor<std::int64_t>({5, 1, 2}), tensor<std::int64_t>({5, 1, 1})) == Approx(2.0 / 3));
  CHECK(nn::accuracy(tensor<std::int64_t>({0, 1}), tensor({{NAN, 1}, {1, NAN}})) == 1);
  CHECK(nn::accuracy(ones({2, 2}), full({2, 2, 1}, 3)) == 1);
  CHECK(nn::accuracy(zeros({1}), tensor({0.3f}), 0.3) == 1);  // not above: as 0.3f > 0.3 of tensors
}

TEST_CASE("a batch of one example is given in all the ways in which larger ones are") {
  for (const std::int64_t n : {1, 2})
    for (const Shape& l : {Shape{n}, Shape{n, 1}})
      for (const Shape& s : {Shape{n}, Shape{n, 1}}) {
        nn::ConfusionMatrix of_scores(2), of_classes(2);
        of_scores.update(ones(l, i64), full(s, 0.7));
        of_classes.update(ones(l, i64), ones(s, i64));
        CHECK(of_scores.accuracy() == 1);
        CHECK(of_classes.accuracy() == 1);
        nn::AUC auc;
        auc.update(ones(l, i64), full(s, 0.7));
        auc.update(zeros(l, i64), full(s, 0.2));
        CHECK(auc.result() == 1);
      }
  nn::AUC auc;
  CHECK_THROWS_AS(auc.update(ones({1, 2}, i64), ones({2})), ShapeError);
}

TEST_CASE("metrics refuse what does not fit, and count nothing then") {
  nn::ConfusionMatrix m(3);
  CHECK_THROWS_AS(m.update(tensor<std::int64_t>({0, 3}), tensor<std::int64_t>({0, 1})), IndexError);
  CHECK_THROWS_AS(m.update(tensor<std::int64_t>({0, 1}), tensor<std::int64_t>({0, -1})), IndexError);
  CHECK_THROWS_AS(m.update(tensor<std::int64_t>({0, 1}), zeros({2})), ShapeError);
  CHECK_THROWS_AS(m.update(tensor<std::int64_t>({0, 1}), zeros({2, 4})), ShapeError);
  CHECK_THROWS_AS(m.update(tensor<std::int64_t>({0, 1}), zeros({3, 3})), ShapeError);
  CHECK_THROWS_WITH(m.update(tensor<std::int64_t>({{1, 0, 0}, {0, 0, 1}}), zeros({2, 3})), containing("one-hot"));
  CHECK_THROWS_AS(m.update(zeros({2}), zeros({2, 3})), DTypeError);
  CHECK_THROWS_AS(m.update(Tensor(), zeros({2, 3})), ArgumentError);
  CHECK_THROWS_AS(m.at(3, 0), IndexError);
  CHECK(m.total() == 0);
  // the classic: [100] against [100, 1] is not 100 x 100 comparisons
  CHECK(nn::accuracy(ones({100}), ones({100, 1})) == 1);
  CHECK_THROWS_AS(nn::accuracy(ones({100}), ones({50, 1})), ShapeError);
  CHECK_THROWS_AS(nn::ConfusionMatrix(1), ArgumentError);
  // one-hot labels are no labels of each score by itself
  CHECK_THROWS_AS(nn::accuracy(eye(10), random::normal({10, 10})), ShapeError);
  CHECK_THROWS_AS(nn::Accuracy(2).update(eye(2), eye(2)), ShapeError);
  CHECK_THROWS_AS(nn::accuracy(eye(4, i64), random::normal({4, 4})), ShapeError);
  CHECK(nn::accuracy(argmax(eye(10), -1), eye(10)) == 1);
  CHECK_THROWS_AS(m.precision(5), IndexError);
}

TEST_CASE("accuracy is of any number of classes, labels as a column too") {
  const Tensor ids = tensor<std::int64_t>({50000, INT64_MAX - 1});
  CHECK(nn::accuracy(ids, tensor<std::int64_t>({50000, 3})) == 0.5);
  CHECK(nn::accuracy(zeros({2}, i64), zeros({2, 20000})) == 1);
  nn::ConfusionMatrix m(3);
  m.update(tensor<std::int64_t>({{2}, {1}}), tensor({{0, 0, 1}, {1, 0, 0}}));
  CHECK(m.accuracy() == 0.5);
  CHECK(nn::accuracy(tensor<std::int64_t>({{2}, {1}}), tensor({{0, 0, 1}, {1, 0, 0}})) == 0.5);
}

TEST_CASE("a mean of losses is weighed by examples") {
  nn::Mean mean;
  CHECK(std::isnan(mean.result()));
  mean.update(1, 3);
  mean.update(5);
  CHECK(mean.result() == 2);
  mean.reset();
  mean.update(7);
  CHECK(mean.result() == 7);
}

TEST_CASE("AUC is the share of pairs in order, ties half") {
  nn::AUC auc;
  CHECK(std::isnan(auc.result()));
  auc.update(tensor<std::int64_t>({1, 0, 1}), tensor({0.9, 0.5, 0.5}));
  CHECK(auc.result() == 0.75);
  auc.update(tensor({{0}, {1}}), tensor<double>({{0.7}, {-1}}));  // pairs of 1 and 0: .9 > .5 .7, .5 = .5 < .7, -1
  CHECK(auc.result() == Approx(2.5 / 6));
  const double before = auc.result();
  CHECK_THROWS_AS(auc.update(tensor<std::int64_t>({0, 2}), tensor({0.5, 0.5})), IndexError);
  CHECK_THROWS_AS(auc.update(tensor({0, 0.5}), tensor({0.5, 0.5})), DTypeError);
  CHECK_THROWS_AS(auc.update(tensor<std::int64_t>({0, 1}), tensor({0.5, NAN})), ArgumentError);
  CHECK_THROWS_AS(auc.update(tensor<std::int64_t>({0, 1}), tensor<std::int64_t>({0, 1})), DTypeError);
  CHECK_THROWS_AS(auc.update(tensor<std::int64_t>({0, 1}), ones({2, 2})), ShapeError);
  CHECK_THROWS_AS(auc.update(tensor<std::int64_t>({0, 1}), ones({3})), ShapeError);
  CHECK_THROWS_AS(auc.update(Tensor(), ones({3})), ArgumentError);
  CHECK(auc.result() == before);
  auc.reset();
  CHECK(std::isnan(auc.result()));
}

TEST_CASE("metrics leave out the examples of an ignored class") {
  const Tensor labels = tensor<std::int64_t>({0, -100, 2, 1}), guesses = tensor<std::int64_t>({0, 1, 1, 1});
  nn::ConfusionMatrix m(3, 0, -100);
  m.update(labels, guesses);
  CHECK(m.total() == 3);
  CHECK(m.accuracy() == 2.0 / 3);
  CHECK(nn::accuracy(labels, guesses, 0, -100) == 2.0 / 3);
  CHECK(std::isnan(nn::accuracy(full({2}, -100, i64), zeros({2, 3}), 0, -100)));
  CHECK(nn::accuracy(tensor({1, 0, -1}), tensor({2, 3, 4}), 0, -1) == 0.5);
  CHECK_THROWS_AS(nn::accuracy(labels, zeros({4, 3})), IndexError);
  nn::Recall recall(3, 0, 2);
  recall.update(tensor<std::int64_t>({0, 2, 1}), tensor<std::int64_t>({0, 1, 1}));
  CHECK(recall.result() == 2.0 / 3);
}

TEST_CASE("top-k accuracy counts labels among the highest scores, ties in order") {
  const Tensor labels = tensor<std::int64_t>({2, 0, 1, -1}),
               scores = tensor({{0.1, 0.5, 0.4}, {0.2, 0.2, 0.2}, {NAN, 0, 1}, {1, 2, 3}});
  CHECK(nn::top_k_accuracy(labels, scores, 1, -1) == 1.0 / 3);
  CHECK(nn::top_k_accuracy(labels, scores, 2, -1) == 2.0 / 3);
  CHECK(nn::top_k_accuracy(labels, scores, 3, -1) == 1);
  CHECK_THROWS_AS(nn::top_k_accuracy(labels, scores, 2), IndexError);
  CHECK_THROWS_AS(nn::top_k_accuracy(labels, scores, 0, -1), ArgumentError);
  CHECK_THROWS_AS(nn::top_k_accuracy(labels, labels, 1), ShapeError);
  CHECK(std::isnan(nn::top_k_accuracy(zeros({0}, i64), zeros({0, 3}), 1)));
}
