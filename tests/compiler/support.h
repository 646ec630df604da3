// What the compiler's tests share.
#pragma once

#include <weft/weft.h>

#include <atomic>
#include <memory>
#include <thread>

#include "../autograd/support.h"
