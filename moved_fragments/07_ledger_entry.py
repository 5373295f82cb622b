@entry("eq-lqr-dominance", "estimate", LQR.E, LQR.Sigma)
def dominance(rng):
    """What a gain misses is at most tr(EᵀG⁻¹EΣ*), and equal to it after one policy iteration."""
    lqr, K = ex.random_lqr(rng)
    G = lqr.R + lqr.gamma * lqr.B.T @ lqr.P(K) @ lqr.B
    E = lqr.E(K)
    P = ex.parts(lqr, K)[3]  # the gain of policy iteration, without LQR.E
    BP = lqr.gamma * lqr.B.T @ P
    better = np.linalg.solve(lqr.R + BP @ lqr.B, BP @ lqr.A)
    rivals = [better] + [better + 0.1 * rng.normal(size=K.shape) for _ in range(20)]
    radius = [np.abs(np.linalg.eigvals(lqr.A - lqr.B @ rival)).max() for rival in rivals]
    rivals = [k for k, r in zip(rivals, radius, strict=True) if lqr.gamma**0.5 * r < 0.95]

    def by_eigenvectors(K):
        F, N, S0, _ = ex.parts(lqr, K)
        return -np.trace(ex.sum_by_eigenvectors(F.T, N, lqr.gamma) @ S0)

    bounds = [np.trace(E.T @ np.linalg.solve(G, E) @ lqr.Sigma(rival)) for rival in rivals]
    gained = [by_eigenvectors(rival) - by_eigenvectors(K) for rival in rivals]
    assert all(gain <= bound * (1 + 1e-9) for gain, bound in zip(gained, bounds, strict=True))
    return {"formula": bounds[0], "worst case": gained[0]}
