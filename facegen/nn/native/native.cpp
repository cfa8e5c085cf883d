// The functions that Python calls. Plain C++ with vector types, compiled once for each width of the processor's
// registers.

#include "backward.h"
#include "forward.h"
#include "forward_one.h"
#include "loss.h"
#include "rows.h"

extern "C" {

void forward_float32(const Work<float>* work, int64_t threads) { all_forward(*work, threads); }
void forward_float64(const Work<double>* work, int64_t threads) { all_forward(*work, threads); }
void one_float32(const One<float>* steps, int64_t count, int64_t threads) { all_one(steps, count, threads); }
void one_float64(const One<double>* steps, int64_t count, int64_t threads) { all_one(steps, count, threads); }
void backward_float32(const Work<float>* work, int64_t threads) { all_backward(*work, threads); }
void backward_float64(const Work<double>* work, int64_t threads) { all_backward(*work, threads); }
void loss_float32(const Loss<float>* work, int64_t threads) { all_loss(*work, threads); }
void loss_float64(const Loss<double>* work, int64_t threads) { all_loss(*work, threads); }
void rows_int16(const Rows* work, int64_t threads) { all_rows(*work, threads); }

}
