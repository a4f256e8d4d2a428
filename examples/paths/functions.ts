/** Standard functions of two variables on which optimizers are compared. */

export type Point = readonly [x: number, y: number];

export interface StandardFunction {
  readonly name: string;
  readonly formula: string;
  readonly value: (x: number, y: number) => number;
  /** The exact gradient, derived by hand. */
  readonly gradient: (x: number, y: number) => Point;
  /** Where a run begins. */
  readonly start: Point;
  /** Where the function is least, and its value there. */
  readonly minimum: Point;
  readonly least: number;
  /** So many steps are enough for every optimizer, plain SGD too. */
  readonly steps: number;
}

/**
 * De Jong, "An analysis of the behavior of a class of genetic adaptive systems" (1975), function 1,
 * in two variables. A bowl; the start is a point on its slope.
 */
const sphere: StandardFunction = {
  name: 'sphere',
  formula: 'x² + y²',
  value: (x, y) => x ** 2 + y ** 2,
  gradient: (x, y) => [2 * x, 2 * y],
  start: [-4, 3],
  minimum: [0, 0],
  least: 0,
  steps: 300,
};

/**
 * Rosenbrock, "An automatic method for finding the greatest or least value of a function" (1960),
 * with its start. A long bent valley, 2,500 times as steep across as along where it ends.
 */
const rosenbrock: StandardFunction = {
  name: 'Rosenbrock',
  formula: '(1 - x)² + 100 (y - x²)²',
  value: (x, y) => (1 - x) ** 2 + 100 * (y - x ** 2) ** 2,
  gradient: (x, y) => [2 * (x - 1) - 400 * x * (y - x ** 2), 200 * (y - x ** 2)],
  start: [-1.2, 1],
  minimum: [1, 1],
  least: 0,
  steps: 30_000,
};

/** What Beale's function squares and sums: c - x (1 - yⁿ). */
const bealeTerms = (x: number, y: number) =>
  [1.5, 2.25, 2.625].map((c, i) => c - x * (1 - y ** (i + 1))) as [number, number, number];

/**
 * Beale, "On an iterative method for finding a local minimum of a function of more than one
 * variable" (1958); the start is that of Moré, Garbow and Hillstrom (1981), problem 5. A flat
 * valley between steep corners.
 */
const beale: StandardFunction = {
  name: 'Beale',
  formula: 'Σ (cₙ - x (1 - yⁿ))²',
  value: (x, y) => bealeTerms(x, y).reduce((sum, term) => sum + term ** 2, 0),
  gradient: (x, y) => {
    const [a, b, c] = bealeTerms(x, y);
    return [
      2 * (a * (y - 1) + b * (y ** 2 - 1) + c * (y ** 3 - 1)),
      2 * x * (a + 2 * b * y + 3 * c * y ** 2),
    ];
  },
  start: [1, 1],
  minimum: [3, 0.5],
  least: 0,
  steps: 5000,
};

/**
 * McCormick, "Computability of global solutions to factorable nonconvex programs" (1976). A plane
 * with a wave: at the minimum x - y = 1 and cos(x + y) = -1/2. The start is the origin, whose
 * valley is that of the global minimum.
 */
const mcCormick: StandardFunction = {
  name: 'McCormick',
  formula: 'sin(x + y) + (x - y)² - 1.5x + 2.5y + 1',
  value: (x, y) => Math.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1,
  gradient: (x, y) => [Math.cos(x + y) + 2 * (x - y) - 1.5, Math.cos(x + y) - 2 * (x - y) + 2.5],
  start: [0, 0],
  minimum: [1 / 2 - Math.PI / 3, -1 / 2 - Math.PI / 3],
  least: -Math.sqrt(3) / 2 - Math.PI / 3,
  steps: 1000,
};

/**
 * Matyas, as in Jamil and Yang, "A literature survey of benchmark functions" (2013), number 71. A
 * plate, 25 times as steep across as along; the start is a point of its usual square, ±10.
 */
const matyas: StandardFunction = {
  name: 'Matyas',
  formula: '0.26 (x² + y²) - 0.48xy',
  value: (x, y) => 0.26 * (x ** 2 + y ** 2) - 0.48 * x * y,
  gradient: (x, y) => [0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x],
  start: [-8, 4],
  minimum: [0, 0],
  least: 0,
  steps: 1000,
};

export const standardFunctions = { sphere, rosenbrock, beale, mcCormick, matyas } as const;

export type FunctionName = keyof typeof standardFunctions;
