// What the compiler's contract tests share.
#pragma once

#include <weft/weft.h>

#include <atomic>
#include <memory>
#include <thread>

#include "../autograd/support.h"
