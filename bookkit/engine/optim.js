// The optimizer and its learning rate over time: the twin of fmkit/optim.py.

const EPS = 1e-8;

/** AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101); matrices decay, norms do not. */
export class AdamW {
  constructor(model, { weight_decay: decay, adam_beta1: beta1, adam_beta2: beta2 }) {
    Object.assign(this, { decay, beta1, beta2, step: 0 });
    this.parameters = [...model.namedParameters().values()].map((parameter) => ({
      ...parameter,
      mean: new Float32Array(parameter.value.length),
      square: new Float32Array(parameter.value.length),
    }));
  }

  /** Scale gradients that are longer than `most` down to it; returns their length before. */
  clip(most) {
    let sum = 0;
    for (const { gradient } of this.parameters) for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
    const norm = Math.sqrt(sum), factor = most / (norm + 1e-6);
    if (factor < 1) for (const { gradient } of this.parameters) for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
    return norm;
  }

  /** Move the weights, and set the gradients to zero. */
  update(rate) {
    const { beta1, beta2 } = this;
    this.step += 1;
    const size = rate / (1 - beta1 ** this.step), root = 1 / Math.sqrt(1 - beta2 ** this.step);
    for (const { value, gradient, mean, square, shape } of this.parameters) {
      const keep = shape.length > 1 ? 1 - rate * this.decay : 1;
      for (let i = 0; i < value.length; i++) {
        const g = gradient[i];
        mean[i] = beta1 * mean[i] + (1 - beta1) * g;
        square[i] = beta2 * square[i] + (1 - beta2) * g * g;
        value[i] = keep * value[i] - (size * mean[i]) / (Math.sqrt(square[i]) * root + EPS);
      }
      gradient.fill(0);
    }
  }
}

/** The learning rate of step `step`, counted from 1: up to the peak in a line, then down along half a cosine
 * (Loshchilov and Hutter 2016, arXiv:1608.03983). */
export function learningRate(step, { steps, warmup_steps: warmup, learning_rate: peak, min_lr_ratio: least }) {
  if (step <= warmup) return (peak * step) / warmup;
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return peak * (least + (1 - least) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
