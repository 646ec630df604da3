// Weft: everything that users include.
#pragma once

#include "autograd/tape.h"
#include "ops/compose.h"
#include "ops/indexing.h"
#include "ops/linalg.h"
#include "ops/manipulate.h"
#include "ops/math.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "tensor/create.h"
#include "tensor/tensor.h"
