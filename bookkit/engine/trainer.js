// The training loop, the twin of fmkit/trainer.py: one step, and everything that a run needs.

import { AdamW, learningRate } from "./optim.js";

/** A training configuration with fmkit's defaults (fmkit/config.py). */
export function trainConfig(chosen) {
  return {
    steps: 600, batch_size: 8, learning_rate: 3e-3, warmup_steps: Math.floor((chosen.steps ?? 600) / 20), min_lr_ratio: 0.1,
    weight_decay: 0.1, adam_beta1: 0.9, adam_beta2: 0.95, max_grad_norm: 1, ...chosen,
  };
}

export class Trainer {
  /** @param {() => object} nextBatch gives the batches of batches.js */
  constructor(model, nextBatch, config) {
    Object.assign(this, { model, nextBatch, config, step: 0, tokens: 0, optimizer: new AdamW(model, config) });
  }

  /** One optimizer step on the mean loss of a batch. Throws where it is not finite; the weights are then kept. */
  trainStep() {
    const batch = this.nextBatch(), rate = learningRate(this.step + 1, this.config);
    const loss = this.model.loss(batch, true) / batch.numItems, gradNorm = this.optimizer.clip(this.config.max_grad_norm);
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      throw new Error(`Step ${this.step + 1}: the loss is not a finite number. A lower learning rate may help.`);
    }
    this.optimizer.update(rate);
    this.step += 1;
    this.tokens += batch.numItems;
    return { step: this.step, tokens: this.tokens, loss, learningRate: rate, gradNorm };
  }

  /** The mean loss of batches, in nats per token. */
  evaluate(batches) {
    const items = batches.reduce((sum, { numItems }) => sum + numItems, 0);
    return batches.reduce((sum, batch) => sum + this.model.loss(batch), 0) / items;
  }
}
