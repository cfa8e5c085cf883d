// The functions that Python calls. Plain C++ with vector types, compiled once for each width of the processor's
// registers.

#include "backward.h"
#include "forward.h"
#include "loss.h"

extern "C" {

void forward_float32(const Work<float>* work, int64_t threads, int64_t few) { all_forward(*work, threads, few); }
void forward_float64(const Work<double>* work, int64_t threads, int64_t few) { all_forward(*work, threads, few); }
void backward_float32(const Work<float>* work, int64_t threads) { all_backward(*work, threads); }
void backward_float64(const Work<double>* work, int64_t threads) { all_backward(*work, threads); }
void loss_float32(const Loss<float>* work, int64_t threads) { all_loss(*work, threads); }
void loss_float64(const Loss<double>* work, int64_t threads) { all_loss(*work, threads); }

}
