"""Names of other libraries that the tests cannot ask for them: what docs/names.md must account for."""

from __future__ import annotations

# The standard of December 2024: its functions, dtypes and constants.
ARRAY_API = """
    __array_namespace_info__ abs acos acosh add all any arange argmax argmin argsort asarray asin asinh
    astype atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift
    bitwise_xor bool broadcast_arrays broadcast_to can_cast ceil clip complex128 complex64 concat conj
    copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide e empty empty_like equal
    exp expand_dims expm1 eye finfo flip float32 float64 floor floor_divide from_dlpack full full_like
    greater greater_equal hypot iinfo imag inf int16 int32 int64 int8 isdtype isfinite isinf isnan less
    less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor
    matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply nan negative newaxis
    nextafter nonzero not_equal ones ones_like permute_dims pi positive pow prod real reciprocal remainder
    repeat reshape result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze
    stack std subtract sum take take_along_axis tan tanh tensordot tile tril triu trunc uint16 uint32
    uint64 uint8 unique_all unique_counts unique_inverse unique_values unstack var vecdot where zeros
    zeros_like
"""

ARRAY_API_LINALG = """
    cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank
    matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
"""

ARRAY_API_FFT = """
    fft fftfreq fftn fftshift hfft ifft ifftn ifftshift ihfft irfft irfftn rfft rfftfreq rfftn
"""

# What autograd 1.9 has a derivative for; functions of its own that no user calls are apart.
HIPS = """
    absolute add amax amin angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh array_split astype
    atleast_1d atleast_2d atleast_3d beta betainc betaln broadcast_to cdf cholesky clip concatenate
    conjugate convolve cos cosh cross cumsum deg2rad degrees det diag diagonal diff divide dot dsplit eig
    eigh einsum entropy erf erfc erfcinv erfinv exp exp2 expand_dims expit expm1 fabs fft fft2 fftn
    fftshift fliplr flipud fmax fmin full gamma gammainc gammaincc gammaln gammasgn gradient hsplit hypot
    i0 i1 ifft ifft2 ifftn ifftshift imag inner inv irfft irfft2 irfftn iv ive j0 j1 jv kron linspace log
    log10 log1p log2 logaddexp logaddexp2 logcdf logit logpdf logpmf logsf logsumexp matmul max maximum
    mean min minimum moveaxis multigammaln multiply nan_to_num negative norm odeint outer pad partition
    pdf pinv pmf polygamma power prod psi rad2deg radians ravel real real_if_close reciprocal remainder
    repeat reshape rfft rfft2 rfftn rgamma roll rollaxis rot90 sf sin sinc sinh slogdet solve solve_banded
    solve_sylvester solve_triangular sort split sqrt sqrtm square squeeze std subtract sum svd swapaxes
    tan tanh tensordot tile trace transpose tril triu var vsplit where y0 y1 yn
"""
