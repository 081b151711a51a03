"""Prefetch memory from inside a kernel."""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64  # bytes


@intrinsic
def _prefetch(typing_context: Any, array: Any, first: Any, n: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        word, pointer, i32 = ir.IntType(64), ir.IntType(8).as_pointer(), ir.IntType(32)
        start = builder.ptrtoint(view.data, word)
        start = builder.add(start, builder.mul(arguments[1], view.itemsize))
        size = builder.mul(arguments[2], view.itemsize)
        lines = builder.udiv(builder.add(size, word(LINE - 1)), word(LINE))
        request = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, i32, i32, i32])
        )
        with cgutils.for_range(builder, lines) as loop:
            at = builder.add(start, builder.mul(loop.index, word(LINE)))
            # For writing, to keep in every cache, data.
            builder.call(request, [builder.inttoptr(at, pointer), i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


def _interpreted(array: Any, first: int, n: int) -> None:
    """Stand-in without the JIT: nothing to do."""


#: ``prefetch(array, first, n)``: fetch ``array.ravel()[first : first + n]`` of a contiguous
#: array; no value changes.
prefetch: Any = _interpreted if numba.config.DISABLE_JIT else _prefetch  # type: ignore[attr-defined]
