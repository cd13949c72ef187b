# cmake -Dout=FILE -P join.cmake: the parts of the script in one file, which gdb runs as it finds it in the library, or by `source`.

set(text "# mortise's commands and printers for gdb: help mortise. Made of src/mortise/insight/gdb.
import sys
import types


def _part(name, text):
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, name, 'exec'), module.__dict__)
    return module


_parts = _part('mortise_gdb', '')
")
foreach(part memory tasks stacks core queues locks printers commands)  # each uses those before it
  file(READ "${CMAKE_CURRENT_LIST_DIR}/${part}.py" code)
  string(APPEND text "_parts.${part} = _part('mortise_gdb.${part}', r'''${code}''')\n")
endforeach()
file(WRITE "${out}" "${text}del _part, _parts\n")
