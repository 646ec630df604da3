// What the tests of a model's whole life read first, precompiled.
#pragma once

#include <weft/weft.h>

#include "catch.h"
