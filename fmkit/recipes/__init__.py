"""Ways of training: each prepares its data, names an objective, and says what to measure along the way.

All have the same form: model, tokenizer, data, configuration, then their own settings by keyword. The data is
a list of texts or rows, a table of pandas or a data set (`fmkit.data.tables`), of any shape of examples
(`fmkit.data.shapes`); or it has splits of these, train and validation (or valid, val, dev, or else test or
eval). Without validation, a tenth is held out. The loop is the same for all. Import them from `fmkit`.

Each function of `callbacks` is given each step's record, a dictionary (see `fmkit.run.TrainingRun`): `print`
will do, or `wandb.log`, or for TensorBoard

    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter("tensorboard")

    def draw(record):
        for name, value in record.items():
            if value is not None:
                writer.add_scalar(name, value, record["step"])

    pretrain(model, tokenizer, corpus, callbacks=[draw])
    writer.close()
"""
