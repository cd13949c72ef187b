// wrong: 48 bits of a pointer
// The bug: HWASan's tags in the upper bits of pointers are lost in a mutex's word, and the program dies of it much later.
#ifdef MORTISE_WRONG
#define __SANITIZE_HWADDRESS__ 1
#endif
#include <mortise/base/abi.hpp>
