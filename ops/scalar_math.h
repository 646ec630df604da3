// The elementary functions, as templates over a domain: weft::math::exp(x) and so on. math/core.h says how they are
// written; tools/accuracy.cpp measures them.
#pragma once

#include "math/atan2.h"
#include "math/core.h"
#include "math/erf.h"
#include "math/exp.h"
#include "math/log.h"
#include "math/pow.h"
#include "math/tanh.h"
#include "math/trig.h"
