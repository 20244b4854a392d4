"""Composite derivatives, each written once and run by tensorgrad, PyTorch and JAX: figures agree to 1e-9."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.reference.hosts import Host, jax_host, ours, torch_host

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

R = np.random.default_rng(7)
X, V = R.normal(size=4), R.normal(size=4)
XS, YS = R.normal(size=(6, 4)), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
W1, W2 = R.normal(size=(4, 5)) / 2, R.normal(size=5)
A = R.normal(size=(4, 4))
SPD = A @ A.T + 4 * np.eye(4)
CASES: dict[str, Callable[[Host], Any]] = {}


def case(f: Callable[[Host], Any]) -> Callable[[Host], Any]:
    CASES[f.__name__] = f
    return f


def logistic(m: Host) -> Any:
    xs, ys = m.array(XS), m.array(YS)
    return lambda w: (m.log(1 + m.exp(xs @ w)) - ys * (xs @ w)).sum()


def network(m: Host) -> Any:
    return lambda x, w, v: m.tanh(m.tanh(x @ w) @ v)


def attention(m: Host) -> Any:
    def f(q: Any, k: Any, v: Any) -> Any:
        return m.softmax(q @ k.T * 0.5, -1) @ v

    return f


@case
def hessian_of_logistic_regression(m: Host) -> Any:
    return m.hessian(logistic(m))(m.array(X))


@case
def third_derivatives_of_logistic_regression(m: Host) -> Any:
    return m.jacfwd(m.hessian(logistic(m)))(m.array(X))


@case
def hessian_vector_product(m: Host) -> Any:
    return m.jvp(m.grad(logistic(m)), (m.array(X),), (m.array(V),))


@case
def gradients_of_each_sample(m: Host) -> Any:
    def loss(w: Any, v: Any, x: Any, y: Any) -> Any:
        return (network(m)(x, w, v) - y) ** 2

    return m.vmap(m.grad(loss, (0, 1)), (None, None, 0, 0))(*[m.array(a) for a in (W1, W2, XS, YS)])


@case
def ensemble_of_networks(m: Host) -> Any:
    ws = m.array(np.stack([W1, -W1, 2 * W1]))
    x, v = m.array(X), m.array(W2)
    return m.vmap(lambda w: m.grad(lambda x: network(m)(x, w, v))(x))(ws)


@case
def jvp_of_attention(m: Host) -> Any:
    q, k, v = (m.array(a) for a in (XS, XS[::-1].copy(), A[:, :2].repeat(2, 0)[:6]))
    return m.jvp(attention(m), (q, k, v), (k, q, v))


@case
def hessian_product_of_attention(m: Host) -> Any:
    q, t = m.array(XS), m.array(XS[::-1].copy())
    return m.jvp(m.grad(lambda q: (attention(m)(q, q, q) ** 2).sum()), (q,), (t,))[1]


@case
def jacobians_of_attention(m: Host) -> Any:
    q, k = m.array(XS), m.array(XS[::-1].copy())
    f = lambda q: attention(m)(q, k, k).sum(0)
    return m.jacfwd(f)(q), m.jacrev(f)(q)


def vector_field(m: Host) -> Any:
    a = m.array(A)
    return lambda y: m.tanh(a @ y) - 0.1 * y


@case
def jacobian_of_a_runge_kutta_step(m: Host) -> Any:
    f, h = vector_field(m), 0.1

    def step(y: Any) -> Any:
        a = f(y)
        b = f(y + h / 2 * a)
        c = f(y + h / 2 * b)
        return y + h / 6 * (a + 2 * b + 2 * c + f(y + h * c))

    return m.jacfwd(step)(m.array(X)), m.jacrev(lambda y: step(step(y)))(m.array(X))


@case
def gradient_through_a_recurrent_scan(m: Host) -> Any:
    xs = m.array(XS)

    def loss(w: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = m.tanh(w @ h + x)
            return h, (h * h).sum()

        h, ys = m.scan(step, m.array(X), xs)
        return ys.sum() + h.sum()

    return m.grad(loss)(m.array(A)), m.jvp(m.grad(loss), (m.array(A),), (m.array(SPD),))[1]


@case
def laplacian(m: Host) -> Any:
    v, w = m.array(W2), m.array(W1)
    u = lambda x: network(m)(x, w, v)
    return m.vmap(lambda x: m.einsum("ii->", m.hessian(u)(x)))(m.array(XS))


@case
def residual_of_the_heat_equation(m: Host) -> Any:
    def u(t: Any, x: Any, w: Any) -> Any:
        return (m.sin(w[0] * x + w[1]) * m.exp(-w[2] * t)).sum()

    def loss(w: Any) -> Any:
        def residual(t: Any, x: Any) -> Any:
            return m.grad(u, 0)(t, x, w) - m.grad(m.grad(u, 1), 1)(t, x, w)

        return (m.vmap(residual)(m.array(XS[:, 0]), m.array(XS[:, 1])) ** 2).mean()

    return m.grad(loss)(m.array(A[:3]))


@case
def euler_lagrange(m: Host) -> Any:
    mass = m.array(SPD)

    def lagrangian(q: Any, v: Any) -> Any:
        return 0.5 * v @ (mass @ v) * (1 + (q * q).sum()) + m.cos(q).sum()

    def acceleration(q: Any, v: Any) -> Any:
        force = m.grad(lagrangian)(q, v) - m.jacfwd(m.grad(lagrangian, 1))(q, v) @ v
        return m.solve(m.hessian(lagrangian, 1)(q, v), force)

    q, v = m.array(X), m.array(V)
    return acceleration(q, v), m.jacrev(acceleration)(q, v)


@case
def gaussian_process(m: Host) -> Any:
    xs, ys = m.array(XS), m.array(YS)

    def likelihood(p: Any) -> Any:
        d = ((xs[:, None] - xs[None]) ** 2).sum(-1)
        k = m.exp(p[0] - d * m.exp(p[1])) + m.exp(p[2]) * m.array(np.eye(6))
        return 0.5 * ys @ m.solve(k, ys) + 0.5 * m.slogdet(k)[1]

    p = m.array(X[:3])
    return m.grad(likelihood)(p), m.hessian(likelihood)(p)


@case
def cholesky_likelihood(m: Host) -> Any:
    def f(s: Any) -> Any:
        c = m.cholesky(s)
        return m.log(m.einsum("ii->i", c)).sum() + (m.solve(c, m.array(X)) ** 2).sum()

    return m.grad(f)(m.array(SPD))


@case
def natural_gradient(m: Host) -> Any:
    xs = m.array(XS)

    def score(w: Any, x: Any) -> Any:
        return -m.log(1 + m.exp(-(x @ w)))

    w = m.array(X)
    each = m.vmap(m.grad(score), (None, 0))(w, xs)
    fisher = each.T @ each / 6 + 0.1 * m.array(np.eye(4))
    return m.solve(fisher, m.grad(logistic(m))(w))


@case
def gradient_through_gradient_steps(m: Host) -> Any:
    xs, ys = m.array(XS), m.array(YS)

    def loss(w: Any, half: Any) -> Any:
        return ((m.tanh(xs[half] @ w) - ys[half]) ** 2).sum()

    def after(w: Any) -> Any:
        for _ in range(2):
            w = w - 0.1 * m.grad(lambda w: loss(w, slice(0, 3)))(w)
        return loss(w, slice(3, 6))

    return m.grad(after)(m.array(X)), m.hessian(after)(m.array(X))


@case
def influence_of_each_sample(m: Host) -> Any:
    w = m.array(X)
    h = m.hessian(logistic(m))(w) + m.array(np.eye(4))
    each = m.vmap(m.grad(lambda w, x, y: m.log(1 + m.exp(x @ w)) - y * (x @ w)), (None, 0, 0))
    return m.solve(h, each(w, m.array(XS), m.array(YS)).T)


@case
def kalman_filter(m: Host) -> Any:
    ys, eye = m.array(XS), m.array(np.eye(4))

    def likelihood(a: Any) -> Any:
        mean, cov, total = m.array(X), eye, 0.0
        for t in range(4):
            mean, cov = a @ mean, a @ cov @ a.T + 0.5 * eye
            s = cov + 0.3 * eye
            e = ys[t] - mean
            total = total + 0.5 * (e @ m.solve(s, e)) + 0.5 * m.slogdet(s)[1]
            gain = m.solve(s, cov).T
            mean, cov = mean + gain @ e, cov - gain @ cov
        return total

    return m.grad(likelihood)(m.array(A / 3))


@case
def hidden_markov_forward(m: Host) -> Any:
    emissions = m.array(XS)

    def likelihood(t: Any) -> Any:
        alpha = emissions[0]
        for k in range(1, 6):
            alpha = m.logsumexp(alpha[:, None] + m.log_softmax(t, -1), 0) + emissions[k]
        return m.logsumexp(alpha, 0)

    return m.grad(likelihood)(m.array(A)), m.jacrev(m.grad(likelihood))(m.array(A))


@case
def determinant_of_a_flow(m: Host) -> Any:
    w = m.array(A / 3)
    flow = lambda x: x + 0.5 * m.tanh(w @ x)
    return m.grad(lambda x: m.slogdet(m.jacfwd(flow)(x))[1])(m.array(X))


@case
def spectral_loss(m: Host) -> Any:
    target = m.array(V)

    def loss(x: Any) -> Any:
        return (m.abs(m.fft.fft(x * x) - m.fft.fft(target)) ** 2).sum()

    return m.grad(loss)(m.array(X)), m.hessian(loss)(m.array(X))


@case
def vjp_pulled_back_in_a_batch(m: Host) -> Any:
    y, pull = m.vjp(vector_field(m), m.array(X))
    return (y, m.vmap(lambda g: pull(g)[0])(m.array(np.eye(4))))


@case
def checkpointed_layers(m: Host) -> Any:
    layer = m.checkpoint(lambda x, w: m.tanh(w @ x))

    def loss(w: Any) -> Any:
        x = m.array(X)
        for _ in range(3):
            x = layer(x, w)
        return (x * x).sum()

    return m.grad(loss)(m.array(A))


@case
def power_iteration(m: Host) -> Any:
    def f(s: Any) -> Any:
        v = m.array(V)
        for _ in range(4):
            v = s @ v
            v = v / m.sqrt((v * v).sum())
        return v @ (s @ v)

    return m.grad(f)(m.array(SPD)), m.jvp(m.grad(f), (m.array(SPD),), (m.array(A + A.T),))[1]


@case
def sum_of_eigenvalue_functions(m: Host) -> Any:
    return m.grad(lambda s: (m.eigvalsh(0.5 * (s + s.T)) ** 3).sum())(m.array(SPD))


@case
def inverse_and_trace(m: Host) -> Any:
    f = lambda s: m.einsum("ii->", m.inv(s) @ s @ s)
    return m.grad(f)(m.array(SPD)), m.jacfwd(m.grad(f))(m.array(SPD))


@case
def jacobian_and_hessian_of_softmax(m: Host) -> Any:
    f = lambda x: m.softmax(x * x, -1)
    return m.jacfwd(f)(m.array(X)), m.jacfwd(m.jacrev(f))(m.array(X))


@case
def mixed_partial_derivatives(m: Host) -> Any:
    f = lambda x, y: m.sin(x * y) * m.exp(x - y)
    mixed = m.grad(m.grad(m.grad(f, 0), 1), 0)
    return m.vmap(mixed)(m.array(X), m.array(V))


@case
def fourth_derivative(m: Host) -> Any:
    f = lambda x: m.tanh(x) * m.exp(-x * x)
    return m.vmap(m.grad(m.grad(m.grad(m.grad(f)))))(m.array(X))


@case
def tangents_in_a_batch(m: Host) -> Any:
    f, x = network(m), m.array(X)
    w, v = m.array(W1), m.array(W2)
    return m.vmap(lambda t: m.jvp(lambda x: f(x, w, v), (x,), (t,))[1])(m.array(XS))


@case
def hessians_of_each_sample(m: Host) -> Any:
    w, v = m.array(W1), m.array(W2)
    return m.vmap(m.hessian(lambda x: network(m)(x, w, v)))(m.array(XS))


@case
def layer_norm(m: Host) -> Any:
    def f(x: Any) -> Any:
        d = x - x.mean(-1)[..., None]
        return d / m.sqrt((d * d).mean(-1) + 1e-5)[..., None]

    return m.jvp(f, (m.array(XS),), (m.array(XS[::-1].copy()),)), m.jacrev(f)(m.array(X))


@case
def penalty_on_the_input_gradient(m: Host) -> Any:
    x, v = m.array(X), m.array(W2)
    return m.grad(lambda w: (m.grad(lambda x: network(m)(x, w, v))(x) ** 2).sum())(m.array(W1))


@case
def a_newton_step(m: Host) -> Any:
    f = lambda w: logistic(m)(w) + (w * w).sum()
    step = lambda w: w - m.solve(m.hessian(f)(w), m.grad(f)(w))
    return step(m.array(X)), m.jacfwd(step)(m.array(X))


@case
def gauss_newton_product(m: Host) -> Any:
    f, xs = network(m), m.array(XS)
    v, t = m.array(W2), m.array(W1[::-1].copy())
    _, dy = m.jvp(lambda w: f(xs, w, v), (m.array(W1),), (t,))
    return m.vjp(lambda w: f(xs, w, v), m.array(W1))[1](dy)[0]


@case
def pairwise_kernel_by_two_batches(m: Host) -> Any:
    k = lambda a, b: m.exp(-((a - b) ** 2).sum())
    xs = m.array(XS)
    return m.vmap(lambda a: m.vmap(lambda b: m.jacfwd(m.grad(k, 0), 1)(a, b))(xs))(xs)


@case
def momentum_over_many_steps(m: Host) -> Any:
    f = logistic(m)

    def end(rate: Any) -> Any:
        w, v = m.array(X), m.array(0 * X)
        for _ in range(3):
            v = 0.9 * v - rate * m.grad(f)(w)
            w = w + v
        return f(w)

    return m.grad(end)(m.array(np.array(0.05))), m.grad(m.grad(end))(m.array(np.array(0.05)))


@case
def hamiltonian_flow(m: Host) -> Any:
    energy = lambda q, p: (p * p).sum() / 2 + (1 - m.cos(q)).sum() + (q[0] * q[1]) ** 2

    def flow(q: Any, p: Any) -> Any:
        for _ in range(2):
            p = p - 0.05 * m.grad(energy, 0)(q, p)
            q = q + 0.1 * m.grad(energy, 1)(q, p)
            p = p - 0.05 * m.grad(energy, 0)(q, p)
        return q, p

    return m.jacfwd(lambda q: flow(q, m.array(V))[0])(m.array(X)), flow(m.array(X), m.array(V))


@case
def contrastive_loss(m: Host) -> Any:
    def loss(xs: Any) -> Any:
        z = xs / m.sqrt((xs * xs).sum(-1))[:, None]
        return -m.einsum("ii->i", m.log_softmax(z @ m.array(XS).T, -1)).mean()

    return m.grad(loss)(m.array(XS[::-1].copy())), m.hessian(lambda x: loss(x * m.array(XS)))(m.array(X))


@case
def power_spectrum_of_a_scaled_signal(m: Host) -> Any:
    def f(a: Any) -> Any:
        return (m.abs(m.fft.rfft(m.sin(a * m.array(XS)))) ** 2).sum()

    return m.grad(f)(m.array(np.array(0.7))), m.grad(m.grad(f))(m.array(np.array(0.7)))


HOSTS = {"torch": torch_host, "jax": jax_host}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", CASES)
def test_it_agrees(name: str, host: str) -> None:
    if host == "jax" and not find_spec("jax"):
        pytest.skip("JAX is not installed")
    expected, found = HOSTS[host]().run(CASES[name]), ours().run(CASES[name])
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, rtol=1e-9, atol=1e-9)
