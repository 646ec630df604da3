// The elementary functions, as templates over a domain: weft::math::exp(x) and so on. math/core.h says how they are
// written; tools/accuracy measures them.
#pragma once

#include "math/asin.h"
#include "math/asinh.h"
#include "math/atan.h"
#include "math/bessel.h"
#include "math/core.h"
#include "math/digamma.h"
#include "math/erf.h"
#include "math/erfinv.h"
#include "math/exp.h"
#include "math/gamma.h"
#include "math/hypot.h"
#include "math/log.h"
#include "math/logaddexp.h"
#include "math/pow.h"
#include "math/remainder.h"
#include "math/shift.h"
#include "math/sinh.h"
#include "math/tanh.h"
#include "math/trig.h"
#include "math/two.h"
