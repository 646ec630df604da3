// An op of this project's own: y x^2 + x y^2, elementwise.
#pragma once

#include <weft/weft.h>

weft::Tensor wave(const weft::Arg& x, const weft::Arg& y);
