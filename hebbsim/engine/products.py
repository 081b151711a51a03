"""Small matrix products inside kernels, in a fixed order of summation.

BLAS is not called from kernels: it may start threads, and its order of summation depends on
the sizes of the operands. Here each product is the same sum in the same order in every position.

A loop either sums or writes to an array, never both: otherwise the compiler decides at run time,
by the addresses of the arrays, whether to vectorize it, and a vectorized sum rounds differently.
"""

from hebbsim.engine._jit import njit


def _multiply_rows(a, i, b, k, out):
    product = a[i : i + 4] @ b[k : k + 4].T
    out[i : i + len(product), k : k + product.shape[1]] = product


@njit(plain=_multiply_rows)
def multiply_rows(a, i, b, k, out):
    """out[i : i + 4, k : k + 4] = a[i : i + 4] @ b[k : k + 4].T, clipped to the rows that exist.

    Sixteen scalar sums: views would be reference-counted, and the compiler would have to assume
    that an array of sums overlaps the operands. Past the end, the last row is used again, so that
    every product is the same sum in the same order.
    """
    i1, i2, i3 = min(i + 1, len(a) - 1), min(i + 2, len(a) - 1), min(i + 3, len(a) - 1)
    k1, k2, k3 = min(k + 1, len(b) - 1), min(k + 2, len(b) - 1), min(k + 3, len(b) - 1)
    zero = out.dtype.type(0)
    s00 = s01 = s02 = s03 = zero
    s10 = s11 = s12 = s13 = zero
    s20 = s21 = s22 = s23 = zero
    s30 = s31 = s32 = s33 = zero
    for d in range(a.shape[1]):
        a0, a1, a2, a3 = a[i, d], a[i1, d], a[i2, d], a[i3, d]
        b0, b1, b2, b3 = b[k, d], b[k1, d], b[k2, d], b[k3, d]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s03 += a0 * b3
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s13 += a1 * b3
        s20 += a2 * b0
        s21 += a2 * b1
        s22 += a2 * b2
        s23 += a2 * b3
        s30 += a3 * b0
        s31 += a3 * b1
        s32 += a3 * b2
        s33 += a3 * b3
    out[i, k], out[i, k1], out[i, k2], out[i, k3] = s00, s01, s02, s03
    out[i1, k], out[i1, k1], out[i1, k2], out[i1, k3] = s10, s11, s12, s13
    out[i2, k], out[i2, k1], out[i2, k2], out[i2, k3] = s20, s21, s22, s23
    out[i3, k], out[i3, k1], out[i3, k2], out[i3, k3] = s30, s31, s32, s33


def _multiply(a, b, out):
    out[:] = a @ b.T


@njit(plain=_multiply)
def multiply(a, b, out):
    """out = a @ b.T, in blocks of four rows of each."""
    for i in range(0, len(a), 4):
        for k in range(0, len(b), 4):
            multiply_rows(a, i, b, k, out)


def _add_products(a, b, out):
    out += a.T @ b


@njit(plain=_add_products)
def add_products(a, b, out):
    """out += a.T @ b for up to four rows of a and b, in one pass over `out`."""
    n = len(a)
    k1, k2, k3 = min(1, n - 1), min(2, n - 1), min(3, n - 1)
    zero = out.dtype.type(0)
    for i in range(len(out)):
        a0 = a[0, i]
        a1 = a[k1, i] if n > 1 else zero
        a2 = a[k2, i] if n > 2 else zero
        a3 = a[k3, i] if n > 3 else zero
        for j in range(b.shape[1]):
            out[i, j] += a0 * b[0, j] + a1 * b[k1, j] + a2 * b[k2, j] + a3 * b[k3, j]
