//! The public client `model_signing`, where `FORECAST_PYTHON` names a Python that has it (and `pyopenssl`).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use manifest_gen::oms::{self, Signer, Trust};
use serde_json::{Map, json};

use super::folder::{Model, authority, certificates, data, is_verified, key_signer, private_key, public_key};
use super::probes::{self, Probe};
use crate::python::python;

fn client(python: &str, arguments: &[&str], folder: &Path, signature: &Path) -> Output {
    let mut command = Command::new(python);
    command.args(["-m", "model_signing"]).args(arguments).arg("--signature").arg(signature).arg(folder);
    command.output().unwrap()
}

fn assert_success(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
}

fn key(name: &str) -> String {
    data(&format!("keys/{name}")).to_str().unwrap().to_owned()
}

#[test]
fn it_verifies_our_signatures_and_sees_changes() {
    let Some(python) = python("model_signing, OpenSSL") else { return };
    for curve in ["p256", "p384", "p521", "chain"] {
        let model = Model::new();
        model.put("sub.txt", "sorts before sub/ by code point, after it by component");
        model.put("Ünï/ü \"\\.txt", "x");
        model.put(".gitignore", "x");
        let chain = certificates(&["leaf", "intermediate", "root"]);
        let signer = match curve {
            "chain" => Signer::Chain { key: private_key("p256.pem"), certificates: chain },
            _ => key_signer(curve),
        };
        let extra: Map<_, _> = [("release".to_owned(), json!({"name": "ü", "version": "2.0.0"}))].into_iter().collect();
        let signature = model.path().join("model.sig");
        model.put("model.sig", oms::sign(&model.path(), &["model.sig".into()], &signer, extra).unwrap());
        let (public, root) = (key(&format!("{curve}.pub")), key("root.crt.pem"));
        let arguments = match curve {
            "chain" => ["verify", "certificate", "--certificate_chain", &root],
            _ => ["verify", "key", "--public_key", &public],
        };
        assert_success(&client(&python, &arguments, &model.path(), &signature));
        model.put("a.txt", "hellO");
        assert!(!client(&python, &arguments, &model.path(), &signature).status.success(), "{curve}");
    }
}

#[test]
fn we_verify_its_signatures() {
    let Some(python) = python("model_signing, OpenSSL") else { return };
    for curve in ["p256", "p384", "p521", "chain"] {
        let model = Model::new();
        model.put("sub.txt", "x");
        model.put("Ünï/ü \"\\.txt", "x");
        let signature = model.path().join("model.sig");
        let (private, leaf) = (key(&format!("{curve}.pem")), key("leaf.crt.pem"));
        let (own, above) = (key("p256.pem"), [key("intermediate.crt.pem"), key("root.crt.pem")]);
        let by_chain = ["sign", "certificate", "--private_key", &own, "--signing_certificate", &leaf];
        let chain = ["--certificate_chain", &above[0], "--certificate_chain", &above[1]];
        let (arguments, trust): (Vec<&str>, Trust) = match curve {
            "chain" => ([&by_chain[..], &chain].concat(), authority(&["root"])),
            _ => (vec!["sign", "key", "--private_key", &private], public_key(curve)),
        };
        assert_success(&client(&python, &arguments, &model.path(), &signature));
        let bundle = fs::read(&signature).unwrap();
        let outcome = model.verify(&bundle, &trust);
        assert!(is_verified(&outcome), "{curve}: {outcome:?}");
        model.put("a.txt", "hellO");
        assert!(model.reasons(&bundle, &trust).contains("\"a.txt\" was changed"), "{curve}");
    }
}

/// That the rebuilt probes are those of the record: the client of today gives the recorded answers.
#[test]
fn its_answers_on_the_rebuilt_probes_are_the_recorded_ones() {
    let Some(python) = python("model_signing, OpenSSL") else { return };
    for (name, accepted) in probes::recorded().into_iter().filter(|(name, _)| !name.ends_with("_api")) {
        let Probe { model, bundle, trust } = probes::rebuild(&name).unwrap();
        let Trust::PublicKey(pem) = trust else { panic!("{name}") };
        let (signature, public) = (model.root.path().join("m.sig"), model.root.path().join("key.pub"));
        super::folder::write(&signature, &bundle);
        super::folder::write(&public, pem);
        let mut arguments = vec!["verify", "key", "--public_key", public.to_str().unwrap()];
        if name == "extra_file_ignore_unsigned" {
            arguments.push("--ignore_unsigned_files");
        }
        let output = client(&python, &arguments, &model.path(), &signature);
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), accepted, "{name}: {said}");
    }
}

/// That the certificate paths which we refuse are not refused for faults of the test: it accepts what only we refuse.
#[test]
fn its_answers_on_faulty_certificate_paths_are_ours_or_documented() {
    let Some(python) = python("model_signing, OpenSSL") else { return };
    let model = Model::new();
    let mut wider = Vec::new();
    for (carried, root) in [
        (&["leaf", "intermediate"][..], "root"),
        (&["code-signing", "intermediate"], "root"),
        (&["lone"], "lone"),
        (&["leaf", "intermediate"], "stranger"),
        (&["leaf", "intermediate"], "impostor"),
        (&["leaf"], "root"),
        (&["leaf"], "intermediate"),
        (&["leaf"], "leaf"),
        (&["leaf", "intermediate", "stranger"], "root"),
        (&["useless", "intermediate"], "root"),
        (&["critical", "intermediate"], "root"),
        (&["below-no-cert-sign", "no-cert-sign"], "root"),
        (&["below-too-deep", "too-deep"], "no-length"),
        (&["below-constrained", "constrained"], "root"),
        (&["below-rsa"], "rsa-root"),
        (&["below-rsa1024"], "rsa1024-root"),
        (&["short", "intermediate"], "root"),
    ] {
        let bundle = super::certificates::carrying(&model, carried);
        let signature = model.root.path().join("m.sig");
        super::folder::write(&signature, &bundle);
        let pem = key(&format!("{root}.crt.pem"));
        let output =
            client(&python, &["verify", "certificate", "--certificate_chain", &pem], &model.path(), &signature);
        let ours = oms::verify(&model.path(), &bundle, &authority(&[root]), "", super::folder::now());
        let ours = ours.is_ok_and(|outcome| is_verified(&outcome));
        assert!(!ours || output.status.success(), "{carried:?} below {root}: {output:?}");
        if output.status.success() && !ours {
            wider.push(carried[0]);
        }
    }
    // An unused certificate, name constraints, a short RSA key, and an expired certificate: item 11 of the list.
    assert_eq!(wider, ["leaf", "below-constrained", "below-rsa1024", "short"]);
}
