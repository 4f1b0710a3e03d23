#!/usr/bin/env python3
"""Makes pickles of real estimators in a folder, and says what the real unpickler asks for when it loads each.

    python make_pickles.py FOLDER      writes FOLDER/*.pkl and FOLDER/expected.json

expected.json: file name -> {"globals": what find_class was asked for, "features": feature names or null, "refused": whether
a careful scanner refuses the file}. Only pickles that this script itself has made are loaded.
"""

import bz2
import gzip
import json
import lzma
import os
import pickle
import sys
import warnings
import zlib

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.simplefilter("ignore")

import joblib
import joblib.numpy_pickle
import numpy as np
import pandas as pd

SEEN = set()


class Recorder(pickle._Unpickler):
    def find_class(self, module, name):
        SEEN.add(f"{module}.{name}")
        return super().find_class(module, name)


def recording(original=joblib.numpy_pickle.NumpyUnpickler.find_class):
    def find_class(self, module, name):
        SEEN.add(f"{module}.{name}")
        return original(self, module, name)
    return find_class


joblib.numpy_pickle.NumpyUnpickler.find_class = recording()


def data():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(rng.rand(60, 3), columns=["temperature", "price", "cpi"])
    return frame, pd.Series(frame.to_numpy() @ [1.0, 2.0, 3.0] + rng.rand(60), name="sales")


def estimators():
    """Name, fitted estimator, feature names that it must be known by (nothing if it keeps none), refused."""
    from sklearn import compose, ensemble, impute, linear_model, model_selection, neighbors, pipeline, preprocessing, svm
    frame, sales = data()
    names = list(frame.columns)
    mixed = frame.assign(store=pd.Categorical(list("abcdef") * 10))
    prepare = compose.ColumnTransformer([("n", preprocessing.StandardScaler(), names), ("c", preprocessing.OneHotEncoder(), ["store"])])
    yield "ridge", linear_model.Ridge().fit(frame, sales), names, False
    yield "ridge_array", linear_model.Ridge().fit(frame.to_numpy(), sales), None, False
    yield "pipeline", pipeline.make_pipeline(impute.SimpleImputer(), linear_model.Ridge()).fit(frame, sales), names, False
    yield "columns", pipeline.make_pipeline(prepare, linear_model.Ridge()).fit(mixed, sales), names + ["store"], False
    yield "forest", ensemble.RandomForestRegressor(5, random_state=0).fit(frame, sales), names, False
    coded = mixed.assign(store=mixed["store"].cat.codes)
    yield "boosting", ensemble.HistGradientBoostingRegressor(max_iter=3, categorical_features=["store"]).fit(coded, sales), names + ["store"], False
    yield "gbr", ensemble.GradientBoostingRegressor(n_estimators=3, random_state=np.random.RandomState(1)).fit(frame, sales), names, False
    yield "grid", model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [1.0, 2.0]}, cv=model_selection.TimeSeriesSplit(3)).fit(frame, sales), names, False
    yield "target", compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1).fit(frame, sales), names, False
    yield "neighbours", neighbors.KNeighborsRegressor(2, algorithm="kd_tree").fit(frame, sales), names, False
    yield "svr", svm.SVR().fit(frame, sales), names, False
    yield "dict", {"model": linear_model.Ridge().fit(frame, sales), "scaler": preprocessing.StandardScaler().fit(frame)}, names, False
    try:
        import lightgbm
        small = {"n_estimators": 3, "min_child_samples": 2, "verbose": -1}
        yield "lightgbm", lightgbm.LGBMRegressor(**small).fit(frame, sales), names, False
        yield "lightgbm_categorical", lightgbm.LGBMRegressor(**small).fit(mixed, sales), names + ["store"], False
        yield "lightgbm_pipeline", pipeline.Pipeline([("s", preprocessing.StandardScaler().set_output(transform="pandas")), ("m", lightgbm.LGBMRegressor(**small))]).fit(frame, sales), names, False
    except ImportError:
        pass
    try:
        import xgboost
        yield "xgboost", xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(frame, sales), "any", False
    except ImportError:
        pass
    try:
        import catboost
        yield "catboost", catboost.CatBoostRegressor(iterations=3, verbose=False, allow_writing_files=False).fit(frame, sales), "any", False
    except ImportError:
        pass
    try:
        import statsmodels.api as sm
        import statsmodels.formula.api as smf
        import statsmodels.tsa.api as tsa
        table = frame.assign(sales=sales, store=list("abcdef") * 10)
        dated = pd.Series(sales.to_numpy(), index=pd.date_range("2018-01-05", periods=60, freq="W-FRI"))
        yield "ols", sm.OLS(sales, sm.add_constant(frame)).fit(), "any", False
        yield "formula", smf.ols("sales ~ price + cpi", table).fit(), "any", False
        yield "formula_call", smf.ols("sales ~ np.log(price) + C(store)", table).fit(), "any", True
        yield "sarimax", tsa.SARIMAX(dated, order=(1, 0, 0)).fit(disp=False), "any", False
        yield "holt", tsa.ExponentialSmoothing(dated, trend="add").fit(), "any", False
    except ImportError:
        pass


def things():
    """What estimators hold, and arrays of all kinds."""
    index = pd.date_range("2020-01-03", periods=6, freq="W-FRI")
    yield "frame", pd.DataFrame({"a": range(6), "b": list("abcabc"), "c": pd.Categorical(list("xyxyxy")), "d": index}, index=index)
    yield "zones", pd.DataFrame({"a": range(6)}, index=index.tz_localize("Europe/Berlin"))
    yield "arrays", [np.arange(5), np.asfortranarray(np.ones((3, 4))), np.array(["a", "bc"]), np.array([b"x"]), np.float64(1.5),
                     np.zeros(3, [("a", "f8"), ("b", "U3"), ("c", "i2", (2, 2))]), np.array(["x", None, 1], object), np.zeros((0, 3)),
                     np.array(2.0), np.zeros(2, "M8[D]"), np.zeros(2, ">i4"), np.ones(3, bool), np.ones(2, "c16"),
                     np.array([(1, "x")], [("a", "f8"), ("o", object)]), np.ma.array([1, 2], mask=[0, 1]), np.matrix([[1.0]])]
    yield "random", [np.random.RandomState(1), np.random.default_rng(2)]
    yield "plain", {"a": {1, 2}, "b": frozenset([3]), "c": bytearray(b"x"), "d": 10**40, "e": "ä\\u0041\n", "f": (), "g": b"\x80\x04\x95"}


def record(path, load):
    SEEN.clear()
    load(path)
    return sorted(SEEN)


def load_plain(path):
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(os.path.splitext(path)[1], open)
    with opener(path, "rb") as file:
        Recorder(file).load()


def load_zlib(path):
    import io
    Recorder(io.BytesIO(zlib.decompress(open(path, "rb").read()))).load()


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    expected = {}

    def keep(file, write, load, features, refused):
        path = os.path.join(folder, file)
        write(path)
        expected[file] = {"globals": record(path, load), "features": features, "refused": refused}

    def write_with(opener, thing, protocol):
        def write(path):
            with opener(path, "wb") as file:
                pickle.dump(thing, file, protocol)
        return write

    def write_zlib(thing):
        def write(path):
            with open(path, "wb") as file:
                file.write(zlib.compress(pickle.dumps(thing)))
        return write

    compressions = [0, ("zlib", 1), ("zlib", 3), ("zlib", 9), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]
    try:
        import lz4.frame  # noqa: F401
        compressions.append(("lz4", 3))
    except ImportError:
        pass
    everything = list(estimators()) + [(name, thing, "any", False) for name, thing in things()]
    for number, (name, thing, features, refused) in enumerate(everything):
        for protocol in range(6):
            try:
                pickle.dumps(thing, protocol)
            except Exception:  # some libraries refuse the oldest protocols
                continue
            keep(f"{name}_p{protocol}.pkl", write_with(open, thing, protocol), load_plain, features, refused)
        for protocol in (2, 3, 4, 5):
            keep(f"{name}_joblib_p{protocol}.pkl", lambda path: joblib.dump(thing, path, protocol=protocol), joblib.load, features, refused)
        for compress in compressions if number < 6 else [0, compressions[1 + number % (len(compressions) - 1)]]:
            label = "raw" if compress == 0 else f"{compress[0]}{compress[1]}"
            keep(f"{name}_joblib_{label}.pkl", lambda path: joblib.dump(thing, path, compress=compress), joblib.load, features, refused)
        if number < 3:
            keep(f"{name}.pkl.gz", write_with(gzip.open, thing, 4), load_plain, features, refused)
            keep(f"{name}.pkl.bz2", write_with(bz2.open, thing, 4), load_plain, features, refused)
            keep(f"{name}.pkl.xz", write_with(lzma.open, thing, 4), load_plain, features, refused)
            keep(f"{name}.zlib.pkl", write_zlib(thing), load_zlib, features, refused)

    objects = np.array(["a", None, 1], object)
    inner = record_npy(folder, objects)
    for file, write in [("objects.npy", lambda path: np.save(path, objects, allow_pickle=True)),
                        ("objects.npz", lambda path: np.savez(path, a=objects, b=np.ones(3))),
                        ("packed.npz", lambda path: np.savez_compressed(path, a=objects, b=np.ones((2, 2), "f4")))]:
        write(os.path.join(folder, file))
        expected[file] = {"globals": inner, "features": "any", "refused": False}
    for file, array in [("float.npy", np.ones((3, 4))), ("fields.npy", np.zeros(3, [("a", "f8"), ("b", "U3", (2,))])), ("zero.npy", np.zeros((0, 2)))]:
        np.save(os.path.join(folder, file), array)
        expected[file] = {"globals": [], "features": "any", "refused": False}
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, indent=1, sort_keys=True)
    print(f"{len(expected)} files")


def record_npy(folder, objects):
    """What numpy's pickle of an object array asks for: the bytes after the header of a file that was just written."""
    import io
    buffer = io.BytesIO()
    np.save(buffer, objects, allow_pickle=True)
    buffer.seek(0)
    np.lib.format.read_magic(buffer)
    np.lib.format.read_array_header_1_0(buffer)
    SEEN.clear()
    Recorder(buffer).load()
    return sorted(SEEN)


if __name__ == "__main__":
    main()
