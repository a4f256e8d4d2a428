// Does what sanitizers and valgrind exist to catch: CTest expects their report, as the proof that
// they would not pass in silence.
#include <climits>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

int main(int count, char** arguments) {
  const volatile int one = count > 0 ? 1 : 0;
  if (count > 1 && std::strcmp(arguments[1], "overflow") == 0) {
    std::printf("%d\n", INT_MAX + one);
    return 0;
  }
  if (count > 1 && std::strcmp(arguments[1], "race") == 0) {
    int counter = 0;
    std::thread other([&] { counter += one; });
    counter += one;
    other.join();
    std::printf("%d\n", counter);
    return 0;
  }
  std::vector<float> values(8, 1.0f);
  const volatile float* beyond = values.data() + 8;
  std::printf("%g\n", static_cast<double>(*beyond));
}
