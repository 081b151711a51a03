"""The k-th largest value of each row."""

from hebbsim.engine._jit import njit


@njit
def kth_largest(x, heap, out):
    """Fill `out`, shape=(N,), with the k-th largest value of each row of `x`, shape=(N, H).

    NaN counts as smallest. `heap`, shape=(k,), is scratch memory: a min-heap of the k largest
    values so far. Most values are below its root, so a row costs about one comparison a value.
    """
    k = len(heap)
    for row in range(len(x)):
        heap[:] = -float("inf")
        for i in range(x.shape[1]):
            value = x[row, i]
            if value > heap[0]:
                at = 0
                while True:
                    child = 2 * at + 1
                    if child >= k:
                        break
                    if child + 1 < k and heap[child + 1] < heap[child]:
                        child += 1
                    if heap[child] >= value:
                        break
                    heap[at] = heap[child]
                    at = child
                heap[at] = value
        out[row] = heap[0]
