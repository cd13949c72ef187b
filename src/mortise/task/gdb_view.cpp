// What a debugger sees of the runtime, and the script that looks. gdb loads it by itself from the section .debug_gdb_scripts, where
// an entry of kind 4 is a name and the text of a script in Python (gdb's manual, "The .debug_gdb_scripts section").
#include <mortise/task/gdb_view.hpp>

#include <cstddef>

#include <mortise/task/runtime_core.hpp>
#include <mortise/task/scope_core.hpp>
#include <mortise/task/spawn.hpp>
#include <mortise/task/task_block.hpp>
#include <mortise/task/worker.hpp>

#ifdef MORTISE_GDB_SCRIPT
asm(".pushsection .debug_gdb_scripts, \"MS\", %progbits, 1\n"
    ".byte 4\n"
    ".ascii \"mortise\\n\"\n"
    ".incbin \"" MORTISE_GDB_SCRIPT
    "\"\n"
    ".byte 0\n"
    ".popsection\n");
#endif

#pragma GCC diagnostic ignored \
    "-Winvalid-offsetof"  // both compilers know it of what is no standard layout, too

namespace mortise::inline MORTISE_ABI::task_detail {

const gdb_fact gdb_view::members[] = {{"task.size", sizeof(task_block)},
                                      {"task.state", offsetof(task_block, m_state)},
                                      {"task.kind", offsetof(task_block, kind)},
                                      {"task.flags", offsetof(task_block, kind) + sizeof(task_block::kind)},
                                      {"task.rest", offsetof(task_block, rest) + offsetof(suspended, at)},
                                      {"task.claims", offsetof(task_block, claims)},
                                      {"task.scope", offsetof(task_block, scope)},
                                      {"task.body", offsetof(task_block, body)},
                                      {"closure.run", offsetof(closure, run)},
                                      {"scope.home", offsetof(scope_core, home)},
                                      {"runtime.workers", offsetof(runtime_core, m_workers)},
                                      {"worker.index", offsetof(worker, m_index)},
                                      {"worker.running", offsetof(worker, m_running)},
                                      {"worker.thread", offsetof(worker, m_thread)},
                                      {"worker.now", offsetof(worker, m_now)},
                                      {nullptr}};

}  // namespace mortise::inline MORTISE_ABI::task_detail
